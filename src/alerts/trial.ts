import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Mask } from '../secrets.ts';
import type { World } from '../world.ts';
import { send } from './deliver.ts';
import type { TargetConfig } from './target.ts';
import { cut } from '../cut.ts';

/**
 * Sends a message that says that it is a test to each target, past the outbox. Returns which host was tried, never
 * the path, which is a secret, why it did not take it, or null, and whether that was an answer. PagerDuty opens an
 * incident, and closes it at once.
 */
export async function tryTargets(
  config: Pick<Config, 'alerts' | 'requestTimeoutMs' | 'environment'>,
  world: Pick<World, 'fetch' | 'signal' | 'now' | 'random'>,
  mask: Mask,
): Promise<{ target: TargetConfig['name']; host: string; problem: string | null; answered: boolean }[]> {
  return Promise.all(
    config.alerts.targets.map(async (target) => {
      const tried = { target: target.name, host: new URL(target.url).host };
      for (const body of trialBodies(target, config.environment, world.now())) {
        const { problem, answered } = await send(target, { id: randomUUID(), body }, { config, world, mask });
        if (problem !== null) return { ...tried, problem, answered };
      }
      return { ...tried, problem: null, answered: true };
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
