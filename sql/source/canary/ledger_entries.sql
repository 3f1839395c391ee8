-- The entries of the canary, one movement to a line: a leg without an account is not there.
select
  lpad((movement.number * 10 + leg.number)::text, 32, '0')::uuid as id,
  lpad(movement.transaction_id::text, 32, '0')::uuid as transaction_id,
  lpad(leg.account_id::text, 32, '0')::uuid as account_id,
  leg.entry_type,
  leg.amount,
  leg.currency,
  timestamptz '2001-01-01 00:00:00Z' as created_at
from (
  values
    (201, 201, 101, 100::numeric, 'USDC', 105, 100::numeric, 'USDC'),
    (202, 202, 105, 30, 'USDC', 101, 30, 'USDC'),
    (203, 203, 102, 20, 'USD', 101, 20, 'USDC'),
    (204, 204, 106, 999.5, 'USD', 105, 1000, 'USDC'),
    (205, 205, 101, 50, 'USDC', 105, 50, 'USDC'),
    (206, 206, 105, 50, 'USDC', 101, 50, 'USDC'),
    (208, 208, 103, 500, 'USDC', 105, 500, 'USDC'),
    (209, 209, 103, 25, 'USDC', 105, 25, 'USDC'),
    (210, 210, 107, 7, 'USD', 106, 7, 'USD'),
    (211, 211, 101, 3, 'USDC', 105, 3, 'USDC'), -- orphaned_entry: no such transaction
    (212, 212, 101, -1, 'USDC', 105, -1, 'USDC'), -- invalid_amount
    (214, 214, 101, 4, 'USDC', null, null, null), -- one_sided_transaction
    (215, 215, 101, 6, 'USD', 105, 6, 'USD'), -- currency_mismatch: accounts of USDC
    (216, 216, 101, 8, 'USDC', 105, 7, 'USDC'), -- unbalanced_transaction
    (217, 217, 101, 2, 'USDC', 105, 2, 'USDC'), -- wrong_entry_count …
    (317, 217, 103, 3, 'USDC', 105, 3, 'USDC'), -- … the third and the fourth
    (218, 218, 101, 9, 'USDC', 105, 9, 'USDC'), -- broken_reversal
    (219, 219, 101, 17, 'USDC', 105, 17, 'USDC'), -- posted_while_unposted
    (220, 220, 101, 0, 'USDC', 105, 0, 'USDC'), -- zero_amount
    (221, 221, 111, 40, 'USDC', 105, 40, 'USDC'),
    (222, 222, 105, 5, 'USDC', 112, 5, 'USDC'),
    (223, 223, 101, 7, 'USDC', 105, 8, 'USDC'), -- unbalanced_transaction
    (224, 224, 115, 40, 'USDC', 105, 40, 'USDC'),
    (225, 225, 102, 5, 'USD', 101, 6, 'USDC'), -- unbalanced_transaction
    (226, 226, 113, 1, 'USDC', 105, 1, 'USDC'),
    (231, 231, 101, 13, 'USDC', 105, 13, 'USDC'), -- duplicate_posting …
    (232, 232, 101, 13, 'USDC', 105, 13, 'USDC'), -- … the second one
    (233, 233, 103, 14, 'USDC', 105, 14, 'USDC'), -- wrong_account
    (234, 234, 101, 15, 'USDC', 105, 15, 'USDC'), -- posted_for_failed
    (235, 235, 101, 16, 'USDC', 105, 16, 'USDC'), -- reversed_for_settled …
    (236, 236, 105, 16, 'USDC', 101, 16, 'USDC'), -- … by this one
    (237, 237, 101, 17, 'USDC', 105, 17, 'USDC'), -- amount_mismatch: the record says 18
    (238, 238, 101, 19, 'USDC', 105, 19, 'USDC'), -- missing_in_source
    (239, 239, 101, 24, 'USDC', 105, 24, 'USDC'), -- missing_in_source: names no deposit
    (240, 240, 101, 14, 'USDC', 105, 14, 'USDC'), -- wrong_account, the other way round
    (241, 241, 101, 18, 'USDC', 105, 18, 'USDC'), -- amount_mismatch: the record says 17
    (242, 242, 102, 23, 'USD', 106, 23, 'USD'), -- wrong_account: of another currency
    (243, 243, 105, 14, 'USDC', 103, 14, 'USDC'), -- wrong_account
    (247, 247, 105, 17, 'USDC', 101, 17, 'USDC'), -- amount_mismatch: the record says 18
    (248, 248, 105, 19, 'USDC', 101, 19, 'USDC'), -- missing_in_source
    (249, 249, 105, 14, 'USDC', 101, 14, 'USDC'), -- wrong_account, the other way round
    (250, 250, 105, 18, 'USDC', 101, 18, 'USDC'), -- amount_mismatch: the record says 17
    (251, 251, 106, 21, 'USD', 105, 21, 'USDC'), -- unlinked
    (252, 252, 106, 22, 'USD', 105, 22, 'USDC'), -- amount_mismatch: the job says 23
    (253, 253, 106, 9, 'USD', null, null, null), -- one_sided_transaction, and amount_mismatch
    (254, 254, 106, 22, 'USD', 105, 22, 'USDC') -- amount_mismatch: the job says 21
) as movement (number, transaction_id, debited, debit, debit_currency, credited, credit, credit_currency)
cross join lateral (
  values
    (1, 'debit', movement.debited, movement.debit, movement.debit_currency),
    (2, 'credit', movement.credited, movement.credit, movement.credit_currency)
) as leg (number, entry_type, account_id, amount, currency)
where leg.account_id is not null
