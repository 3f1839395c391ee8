-- Every transaction whose entries are not double entry, and every account whose balance its entries do not explain.
-- A subject may show several kinds; the one of the lowest rank in src/kinds.ts is reported.
with recursive
header as not materialized ( -- a reversal and what it reverses are looked at together, or not at all
  select ledger_transaction.*
  from ledger_transactions as ledger_transaction
  cross join params
  where
    params.transactions is null
    or ledger_transaction.id = any (params.transactions)
    or ledger_transaction.id is null -- nobody could ask for those by name
),
grace as not materialized ( -- clocks differ by less than that: a time further ahead is wrong, and must not hide its row for ever
  select params.as_of - params.grace_period as since, params.as_of + params.grace_period as until
  from params
),
known_account as ( -- an id may stand twice when the host's primary key is switched off
  select account.id, min(account.currency) as currency, max(account.currency) as other_currency
  from ledger_accounts as account
  cross join params
  where
    params.transactions is null
    or account.id = any (
      array(
        select ledger_entry.account_id
        from ledger_entries as ledger_entry
        where ledger_entry.transaction_id = any (params.transactions)
      )
    )
  group by account.id
),
entry as (
  select
    ledger_entry.id,
    ledger_entry.transaction_id,
    ledger_entry.account_id,
    ledger_entry.entry_type,
    ledger_entry.amount,
    ledger_entry.currency,
    ledger_entry.created_at,
    ledger_entry.account_id is not null and known_account.id is null as account_missing, -- a null names no account
    (ledger_entry.currency <> known_account.currency and ledger_entry.currency <> known_account.other_currency) is true
    as wrong_currency,
    (
      ledger_entry.amount >= 0 and ledger_entry.amount < 'Infinity' -- NaN sorts above Infinity
      and ledger_entry.entry_type in ('debit', 'credit')
      and ledger_entry.currency in ('USDC', 'USD')
      and ledger_entry.id is not null
      and ledger_entry.account_id is not null
    ) is not true as invalid
  from ledger_entries as ledger_entry
  cross join params
  left join known_account on known_account.id = ledger_entry.account_id
  where
    params.transactions is null
    or ledger_entry.transaction_id = any (params.transactions)
    or ledger_entry.transaction_id is null
),
entry_sums as (
  select
    entry.transaction_id,
    count(*) as entries,
    count(*) filter (where entry.entry_type = 'debit') as debit_count,
    count(*) filter (where entry.entry_type = 'credit') as credit_count,
    coalesce(sum(entry.amount) filter (where entry.entry_type = 'debit' and entry.currency = 'USDC'), 0) as usdc_debits,
    coalesce(sum(entry.amount) filter (where entry.entry_type = 'credit' and entry.currency = 'USDC'), 0) as usdc_credits,
    coalesce(sum(entry.amount) filter (where entry.entry_type = 'debit' and entry.currency = 'USD'), 0) as usd_debits,
    coalesce(sum(entry.amount) filter (where entry.entry_type = 'credit' and entry.currency = 'USD'), 0) as usd_credits,
    coalesce(sum(entry.amount) filter (where entry.entry_type = 'debit'), 0) as debits,
    coalesce(sum(entry.amount) filter (where entry.entry_type = 'credit'), 0) as credits,
    bool_and((entry.amount = 0) is true) as moves_nothing,
    min(entry.currency) as currency,
    min(entry.currency) <> max(entry.currency) as crosses,
    count(*) filter (where entry.account_missing) as without_account,
    coalesce(sum(entry.amount) filter (where entry.account_missing), 0) as without_account_amount,
    count(*) filter (where entry.invalid) as invalid,
    sum(entry.amount) filter (where entry.wrong_currency) as wrong_currency_amount,
    count(*) filter (where entry.wrong_currency) as wrong_currency,
    min(entry.created_at) as created_at
  from entry
  where entry.transaction_id is not null
  group by entry.transaction_id
),
reversal as ( -- the few transactions that say which other transaction they reverse
  select header.id, header.reference_id, header.status, header.created_at
  from header
  where
    header.transaction_type = 'reversal'
    and header.id is not null
    and (header.reference_type in ('reversal', 'transaction', 'ledger_transaction')) is not false
),
record_reversal as ( -- … and those that name the record whose posting they reverse
  select distinct header.id, header.reference_id, header.status, header.created_at
  from header
  where
    header.transaction_type = 'reversal'
    and header.id is not null
    and header.reference_type not in ('reversal', 'transaction', 'ledger_transaction')
    and header.status is distinct from 'failed'
),
record_original as ( -- … and whatever else names such a record
  select distinct header.id, header.reference_id, header.status, header.created_at
  from header
  where
    header.transaction_type is distinct from 'reversal'
    and header.id is not null
    and header.reference_id in (select record_reversal.reference_id from record_reversal)
),
numbered_reversal as ( -- what was undone itself comes last: it need not have a posting of its own any more
  select
    record_reversal.*,
    row_number() over (
      partition by record_reversal.reference_id
      order by
        record_reversal.status is not distinct from 'reversed',
        record_reversal.created_at, record_reversal.id, record_reversal.status
    ) as number
  from record_reversal
),
numbered_original as ( -- first what is reversed and not yet spoken for
  select
    record_original.*,
    count(*) over (partition by record_original.reference_id) as number_max,
    row_number() over (
      partition by record_original.reference_id
      order by
        exists (
          select from reversal where reversal.reference_id = record_original.id and reversal.status is distinct from 'failed'
        ),
        record_original.status is distinct from 'reversed',
        record_original.created_at, record_original.id, record_original.status
    ) as number
  from record_original
  where record_original.status is distinct from 'failed' and record_original.status is distinct from 'pending'
),
pair as (
  select reversal.id as reversal_id, reversal.reference_id as original_id, reversal.status, reversal.created_at
  from reversal
  where reversal.status is distinct from 'failed'
  union
  -- a record may be posted and reversed again and again: the first reversal is that of the first posting, and so on;
  -- what is more than the postings reverses the last one once too often
  select numbered_reversal.id, numbered_original.id, numbered_reversal.status, numbered_reversal.created_at
  from numbered_reversal
  inner join numbered_original
    on
      numbered_original.reference_id = numbered_reversal.reference_id
      and numbered_original.number = least(numbered_reversal.number, numbered_original.number_max)
),
parent as ( -- whatever a reversal may have reversed
  select pair.reversal_id, pair.original_id
  from pair
  union -- of a record it may be any of the postings
  select record_reversal.id, record_original.id
  from record_reversal
  inner join record_original on record_original.reference_id = record_reversal.reference_id
),
trait as ( -- what a reversal has of whatever it reverses, over as many turns as it takes
  select
    parent.reversal_id,
    original.transaction_type in ('conversion', 'investment') as may_cross,
    original.record_kind = 'conversion_job' and original.expects_record as names_job
  from parent
  inner join header as original on original.id = parent.original_id
  union -- two reversals that name each other have nothing new to tell
  select parent.reversal_id, trait.may_cross, trait.names_job
  from trait
  inner join parent on parent.original_id = trait.reversal_id
),
inherited as ( -- a reversal may cross currencies where its original may
  select trait.reversal_id, bool_or(trait.may_cross) as may_cross, bool_or(trait.names_job) as names_job
  from trait
  group by trait.reversal_id
),
mirror_side as (
  select pair.reversal_id, pair.original_id, entry.account_id, entry.currency, entry.amount, entry.entry_type, 1 as weight
  from pair
  inner join entry on entry.transaction_id = pair.original_id
  union all
  select
    pair.reversal_id, pair.original_id, entry.account_id, entry.currency, entry.amount,
    case entry.entry_type when 'debit' then 'credit' when 'credit' then 'debit' end,
    -1
  from pair
  inner join entry on entry.transaction_id = pair.reversal_id
),
inexact as ( -- an exact mirror has each entry of its original once, with the sides turned round
  select distinct unmatched.reversal_id, unmatched.original_id
  from (
    select mirror_side.reversal_id, mirror_side.original_id
    from mirror_side
    group by
      mirror_side.reversal_id, mirror_side.original_id, mirror_side.account_id, mirror_side.currency,
      mirror_side.amount, mirror_side.entry_type
    having sum(mirror_side.weight) <> 0
  ) as unmatched
),
mirrors as (
  select
    pair.original_id,
    count(*) filter (where stands.does) as standing,
    count(*) filter (where stands.does and inexact.reversal_id is not null) as inexact,
    count(*) filter (where pair.status = 'reversed') as undone,
    bool_or(pair.created_at > grace.since and pair.created_at <= grace.until) as under_way, -- asked where none stands
    sum(greatest(entry_sums.debits, entry_sums.credits)) filter (where stands.does) as amount,
    array_agg(pair.reversal_id order by pair.reversal_id) as reversal_ids
  from pair
  cross join lateral ( -- whatever else a status says, its entries are in the books
    select pair.status is distinct from 'pending' and pair.status is distinct from 'reversed' as does
  ) as stands
  cross join grace
  left join inexact on inexact.reversal_id = pair.reversal_id and inexact.original_id = pair.original_id
  left join entry_sums on entry_sums.transaction_id = pair.reversal_id
  group by pair.original_id
),
nothing_reversed as ( -- a reversal of a transaction that does not exist
  select reversal.id, reversal.reference_id
  from reversal
  left join header as original on original.id = reversal.reference_id
  where original.id is null and reversal.status is distinct from 'failed' and reversal.status is distinct from 'pending'
),
ledger_transaction as (
  select
    coalesce(header.id, entry_sums.transaction_id) as id,
    header.id is null and entry_sums.transaction_id is not null as header_missing,
    header.user_id,
    header.transaction_type,
    header.status,
    coalesce(header.created_at, entry_sums.created_at) as created_at,
    header.status is distinct from 'pending' and header.status is distinct from 'failed' as posted,
    (
      header.status = 'failed'
      or (header.status = 'pending' and (header.created_at > grace.since and header.created_at <= grace.until) is not true)
    ) is true as not_posted, -- nobody can say that one without a time is still in its grace period
    header.transaction_type in ('conversion', 'investment') or inherited.may_cross as may_cross,
    (header.record_kind = 'conversion_job' and header.expects_record) or inherited.names_job as names_job,
    entry_sums.entries,
    entry_sums.debit_count,
    entry_sums.credit_count,
    entry_sums.usdc_debits,
    entry_sums.usdc_credits,
    entry_sums.usd_debits,
    entry_sums.usd_credits,
    entry_sums.debits,
    entry_sums.credits,
    greatest(entry_sums.debits, entry_sums.credits) as amount,
    entry_sums.moves_nothing,
    case when not entry_sums.crosses then entry_sums.currency end as currency,
    entry_sums.crosses,
    entry_sums.without_account,
    entry_sums.without_account_amount,
    entry_sums.invalid,
    entry_sums.wrong_currency,
    entry_sums.wrong_currency_amount,
    mirrors.amount as reversed_amount,
    mirrors.reversal_ids,
    case
      when header.status = 'reversed'
        then
          (mirrors.standing = 1 and mirrors.inexact = 0) is not true
          -- a reversal that was itself reversed has restored the original; one that is being written has its grace period
          and (mirrors.standing = 0 and (mirrors.undone > 0 or mirrors.under_way)) is not true
          and (header.updated_at > grace.since and header.updated_at <= grace.until) is not true
      else mirrors.standing > 0
    end as broken_reversal,
    nothing_reversed.id is not null as reverses_nothing,
    nothing_reversed.reference_id as missing_original
  from header
  full join entry_sums on entry_sums.transaction_id = header.id
  cross join grace
  left join mirrors on mirrors.original_id = header.id
  left join inherited on inherited.reversal_id = header.id
  left join nothing_reversed on nothing_reversed.id = header.id
),
judged as ( -- what must balance: everything but a pending transaction that may still be written
  select
    ledger_transaction.*,
    ledger_transaction.posted or ledger_transaction.not_posted as complete,
    ledger_transaction.crosses and ledger_transaction.may_cross as converts,
    case
      when ledger_transaction.header_missing then ledger_transaction.amount else ledger_transaction.without_account_amount
    end as orphaned_amount,
    abs(ledger_transaction.usdc_debits - ledger_transaction.usdc_credits) as usdc_gap,
    abs(ledger_transaction.usd_debits - ledger_transaction.usd_credits) as usd_gap
  from ledger_transaction
),
worst as ( -- the currency to show; a conversion is compared across currencies, one for one
  select
    judged.*,
    case
      when judged.converts then judged.names_job is not true and judged.debits <> judged.credits
      else judged.usdc_gap <> 0 or judged.usd_gap <> 0
    end as unbalanced,
    case when judged.converts then judged.debits when judged.usd_gap > judged.usdc_gap then judged.usd_debits else judged.usdc_debits end
    as worst_debits,
    case when judged.converts then judged.credits when judged.usd_gap > judged.usdc_gap then judged.usd_credits else judged.usdc_credits end
    as worst_credits,
    case when judged.converts then null when judged.usd_gap > judged.usdc_gap then 'USD' else 'USDC' end as worst_currency
  from judged
),
transaction_finding as (
  select
    verdict.kind,
    'transaction:' || coalesce(worst.id::text, 'null') as subject,
    verdict.expected_value,
    verdict.actual_value,
    verdict.stake,
    case verdict.kind when 'unbalanced_transaction' then worst.worst_currency else worst.currency end as currency,
    worst.user_id as affected_user_id,
    jsonb_strip_nulls(
      jsonb_build_object(
        'transaction_type', worst.transaction_type,
        'status', worst.status,
        'created_at', worst.created_at,
        'entries', worst.entries,
        'reversals', to_jsonb(worst.reversal_ids),
        'reverses', worst.missing_original
      )
    ) as metadata
  from worst
  cross join params
  cross join lateral ( -- without entries all that is compared is null
    values
      (
        'orphaned_entry', worst.header_missing or worst.without_account > 0, worst.orphaned_amount, null,
        worst.orphaned_amount
      ),
      ('invalid_amount', worst.invalid > 0, null, null, null),
      ('empty_transaction', worst.posted and worst.entries is null, null, null, null),
      (
        'one_sided_transaction', worst.complete and (worst.debit_count = 0 or worst.credit_count = 0),
        worst.debits, worst.credits, null
      ),
      ('currency_mismatch', worst.wrong_currency > 0, null, null, worst.wrong_currency_amount),
      ('unbalanced_transaction', worst.complete and worst.unbalanced, worst.worst_debits, worst.worst_credits, null),
      (
        'wrong_entry_count', worst.complete and worst.entries <> params.entries_per_transaction,
        params.entries_per_transaction, worst.entries, null
      ),
      (
        'broken_reversal', worst.broken_reversal, worst.amount, coalesce(worst.reversed_amount, 0),
        case when worst.amount is null then worst.reversed_amount end -- what was taken back, though nothing was booked
      ),
      ('broken_reversal', worst.reverses_nothing, null, worst.amount, worst.amount),
      ('posted_while_unposted', worst.not_posted and worst.entries is not null, 0, worst.amount, null),
      ('zero_amount', worst.complete and worst.moves_nothing, null, null, null)
  ) as verdict (kind, holds, expected_value, actual_value, stake)
  where
    verdict.holds
    and (params.user_id is null or worst.user_id = params.user_id)
    and (params.since is null or worst.created_at >= params.since)
    and (params.until is null or worst.created_at < params.until)
),
loose_entry as ( -- belongs to no transaction that could be named
  select
    'invalid_amount' as kind,
    'entry:' || coalesce(entry.id::text, 'null') as subject,
    null::numeric as expected_value,
    null::numeric as actual_value,
    null::numeric as stake,
    entry.currency,
    account.user_id as affected_user_id,
    jsonb_strip_nulls(
      jsonb_build_object('account_id', entry.account_id, 'amount', entry.amount::text, 'created_at', entry.created_at)
    ) || jsonb_build_object('entry_type', entry.entry_type) as metadata
  from entry
  cross join params
  left join ledger_accounts as account on account.id = entry.account_id
  where
    entry.transaction_id is null
    and (params.user_id is null or account.user_id = params.user_id)
    and (params.since is null or entry.created_at >= params.since)
    and (params.until is null or entry.created_at < params.until)
),
account_sums as (
  select
    entry.account_id,
    sum(case entry.entry_type when 'debit' then entry.amount when 'credit' then -entry.amount end) as debited,
    bool_or((params.since is null or entry.created_at >= params.since) and (params.until is null or entry.created_at < params.until))
    as touched
  from ledger_entries as entry
  cross join params
  where params.accounts is null or entry.account_id = any (params.accounts)
  group by entry.account_id
),
account as (
  select
    ledger_account.id,
    ledger_account.user_id,
    ledger_account.account_type,
    ledger_account.currency,
    ledger_account.balance,
    ledger_account.opening_balance
    + case ledger_account.normal_side when 'debit' then 1 when 'credit' then -1 end * coalesce(account_sums.debited, 0)
    as proven,
    coalesce(account_sums.touched, params.since is null and params.until is null) as touched,
    count(*) over same_holder as copies,
    min(ledger_account.id::text) over same_holder as first_id,
    array_agg(ledger_account.id) over same_holder as account_ids,
    case when ledger_account.id is not null then count(*) over (partition by ledger_account.id) end as same_id
  from ledger_accounts as ledger_account
  cross join params
  left join account_sums on account_sums.account_id = ledger_account.id
  where
    params.accounts is null
    or ledger_account.user_id is null
    or ledger_account.id is null
    -- of a user all accounts, so that those which stand twice are seen
    or ledger_account.user_id = any (
      array(select asked.user_id from ledger_accounts as asked where asked.id = any (params.accounts))
    )
  window same_holder as (
    partition by ledger_account.user_id, ledger_account.account_type
    order by ledger_account.id -- the list of them is the same every time
    rows between unbounded preceding and unbounded following
  )
),
account_finding as (
  select
    verdict.kind,
    'account:' || coalesce(account.id::text, 'null') as subject,
    verdict.expected_value,
    verdict.actual_value,
    verdict.stake,
    account.currency,
    account.user_id as affected_user_id,
    jsonb_strip_nulls(
      jsonb_build_object(
        'account_type', account.account_type,
        'accounts', case verdict.kind when 'duplicate_account' then to_jsonb(account.account_ids) end
      )
    ) as metadata
  from account
  cross join params
  cross join lateral (
    values
      (
        'balance_drift', (account.balance = account.proven) is not true, account.proven, account.balance,
        -- a side that is null is not zero: all that the books say is at stake; where they say nothing, nobody knows how much
        case when account.balance is null or account.proven is null then coalesce(abs(account.proven), 'NaN') end,
        array[account.id]
      ),
      ('negative_balance', account.user_id is not null and account.balance < 0, 0, account.balance, null, array[account.id]),
      (
        'duplicate_account', account.copies > 1 and account.id::text = account.first_id, 1, account.copies, null,
        account.account_ids
      ),
      ('duplicate_account', account.same_id > 1, 1, account.same_id, null, array[account.id]) -- whoever they belong to
  ) as verdict (kind, holds, expected_value, actual_value, stake, accounts)
  where
    verdict.holds
    and (params.accounts is null or verdict.accounts && params.accounts or account.id is null)
    and account.touched
    and (params.user_id is null or account.user_id = params.user_id)
)
select * from transaction_finding
union all
select * from loose_entry
union all
select * from account_finding
order by subject, kind
