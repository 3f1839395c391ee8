import { z } from 'zod';
import { optionalText } from './amounts.ts';
import { type Circle, readOne } from './circle-client.ts';
import { genuineView } from './usdc.ts';

/** 204 without a body where nothing was configured: then everything is monitored (API-FACTS.md A.5). */
const monitoredSchema = z
  .object({
    data: z.object({
      scope: z.string(),
      tokens: z
        .array(z.object({ blockchain: z.string(), isNative: z.boolean(), tokenAddress: optionalText }))
        .nullish(),
    }),
  })
  .optional();

/**
 * Of some chains, those whose USDC is not monitored: a listing may leave it out there, so that nothing which the
 * listing says about it can be believed (API-FACTS.md A.0, trap 4).
 */
export async function chainsWithHiddenUsdc(circle: Circle, chains: readonly string[]): Promise<string[]> {
  const answer = await readOne(circle, '/v1/w3s/config/entity/monitoredTokens', monitoredSchema);
  if (answer === undefined || answer.data.scope === 'MONITOR_ALL') return [];
  const monitored = answer.data.tokens ?? [];
  return chains.filter((chain) => !monitored.some((token) => genuineView(token, chain) === 'token'));
}
