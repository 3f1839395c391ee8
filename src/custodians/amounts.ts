import { z } from 'zod';
import { type Money, money } from '../money.ts';

/** A field that may be missing or `null`; numbers are text by then too (see `parseExactJson`). */
export const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

/** A time that may be missing; what is none is missing. */
export const optionalTime = optionalText.transform((text) =>
  text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text,
);

/**
 * An amount as a custodian writes it: plain decimal digits, at most 40 on either side of the point. Undefined for
 * everything else (`NaN`, `1e5`, `0x10`, an empty text, nothing at all): what cannot be read is never zero.
 */
export function readAmount(text: string | undefined): Money | undefined {
  return text !== undefined && /^-?\d{1,40}(\.\d{1,40})?$/.test(text) ? money(text) : undefined;
}
