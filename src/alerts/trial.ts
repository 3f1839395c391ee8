import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Mask } from '../secrets.ts';
import type { World } from '../world.ts';
import { send } from './deliver.ts';
import type { TargetConfig } from './target.ts';
import { cut } from '../cut.ts';

/**
 * Sends a message that says that it is a test to each target, past the outbox. Returns which host was tried, never
 * the path, which is a secret, and why it did not take it, or null. PagerDuty opens an incident, and closes it at once.
 */
export async function tryTargets(
  config: Pick<Config, 'alerts' | 'requestTimeoutMs' | 'environment'>,
  world: Pick<World, 'fetch' | 'signal' | 'now' | 'random'>,
  mask: Mask,
): Promise<{ target: TargetConfig['name']; host: string; problem: string | null }[]> {
  return Promise.all(
    config.alerts.targets.map(async (target) => {
      let problem: string | null = null;
      for (const body of trialBodies(target, config.environment, world.now()))
        problem ??= (await send(target, { id: randomUUID(), body }, { config, world, mask })).problem;
      return { target: target.name, host: new URL(target.url).host, problem };
    }),
  );
}

function trialBodies({ name }: TargetConfig, environment: string, now: Date): object[] {
  const text = `recon ${cut(environment, 100)}: this is a test of the alerts, nothing is wrong`;
  switch (name) {
    case 'slack':
      return [{ text }];
    case 'webhook':
      return [{ type: 'reconciliation.test', timestamp: now.toISOString(), data: { environment, summary: text } }];
    case 'pagerduty': {
      const key = { dedup_key: `recon/${cut(environment, 100)}/test` };
      const payload = { summary: text, source: 'recon', severity: 'info', timestamp: now.toISOString() };
      return [
        { event_action: 'trigger', ...key, payload },
        { event_action: 'resolve', ...key },
      ];
    }
  }
}
