import type { Severity } from '../kinds.ts';

/** The kinds of target that alerts are delivered to. */
export const targetNames = ['slack', 'pagerduty', 'webhook'] as const;
export type TargetName = (typeof targetNames)[number];

/** Somebody who is told, with the keys that belong to it. */
export type TargetConfig = SlackConfig | PagerDutyConfig | WebhookConfig;

interface Told {
  url: string;
  /** The lowest severity of an exception that it is told about. */
  severity: Severity;
}

export interface SlackConfig extends Told {
  name: 'slack';
}

export interface PagerDutyConfig extends Told {
  name: 'pagerduty';
  key: string;
}

export interface WebhookConfig extends Told {
  name: 'webhook';
  /** `whsec_…`: none, one, or two while the one is replaced by the other. */
  secrets: readonly string[];
}
