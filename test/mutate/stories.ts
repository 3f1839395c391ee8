import { credit, debit, type LedgerBuilder, type Transaction, type User } from '../support/ledger.ts';

/** Books of a few rows with one fault that random books hardly ever have, or never alone. */
export interface Story {
  write: (ledger: LedgerBuilder, user: User) => unknown;
  /** What happens to the rows once they are stored. */
  fault?: string;
  /** Whether it is told of the other kind of host, whose transactions have two entries and say when they last changed. */
  isOfOtherHost?: true;
}

const transfer = (ledger: LedgerBuilder, user: User): Transaction =>
  ledger.internalTransfer(user, ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance'), '5');

/** Two legs on one side. */
const split = (ledger: LedgerBuilder, user: User): Transaction => {
  const [usdc, stash] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance')];
  const entries = [debit(usdc, '5'), debit(usdc, '5'), credit(stash, '10')];
  return ledger.transaction({ type: 'internal_transfer', user, entries });
};

const reversed = (ledger: LedgerBuilder, user: User) => ledger.reversal(transfer(ledger, user));

const postedAndReversed = (ledger: LedgerBuilder, user: User) => {
  const { id, transaction } = ledger.deposit(user, '7');
  Object.assign(ledger.reversal(transaction!).row, { reference_id: id, reference_type: 'deposit' });
  return { id, posted: transaction!.row };
};

const withoutEntries = [null, 'completed', 'failed', 'pending'].map((status) => ({
  write: (ledger: LedgerBuilder, user: User) =>
    Object.assign(ledger.transaction({ type: 'internal_transfer', user, entries: [] }).row, { status }),
}));

const withWrongLegs = ['account_id = transaction_id', 'account_id = null', "currency = 'USD'", "currency = 'EUR'"]
  .flatMap((change) => [change, `${change}, amount = null`])
  .flatMap((change) => ["entry_type = 'debit'", 'true'].map((which) => ({ change, which })))
  .map(({ change, which }) => ({ write: split, fault: `update ledger_entries set ${change} where ${which}` }));

const withoutIdOrTwice = [reversed, postedAndReversed].flatMap((write) =>
  ['=', '<>'].flatMap((is) => [
    { write, fault: `update ledger_transactions set id = null where transaction_type ${is} 'reversal'` },
    {
      write,
      fault: `insert into ledger_transactions select * from ledger_transactions where transaction_type ${is} 'reversal'`,
    },
  ]),
);

const accountTwice = ['USD', 'ZZZ', 'USDC'].map((currency) => ({
  write: transfer,
  fault: `
    insert into ledger_accounts (id, user_id, account_type, currency, balance)
    select id, user_id, 'fiat_exposure', '${currency}', 0 from ledger_accounts where account_type = 'usdc_balance'`,
}));

const namesakes: Story = {
  write: (ledger, user) => ledger.account(user, 'stash_balance'),
  fault: `
    insert into ledger_accounts (id, user_id, account_type, currency, balance)
    select id, null, 'of_nobody', currency, balance from ledger_accounts where account_type = 'stash_balance'`,
};

/** Of what cannot be counted less something nothing is left that could be counted. */
const withoutBottom: Story[] = ['endless', 'bottomless'].map((type) => ({
  write: (ledger, user) => ledger.account(user, 'usdc_balance'),
  fault: `update ledger_accounts set account_type = '${type}'`,
  isOfOtherHost: true,
}));

const balances = ["'NaN'", "'-Infinity'", "'Infinity'", '-1'].flatMap((balance) => [
  {
    write: (ledger: LedgerBuilder, user: User) => ledger.account(user, 'usdc_balance'),
    fault: `update ledger_accounts set balance = ${balance}`,
  },
  {
    write: (ledger: LedgerBuilder) => ledger.systemAccount('broker_operational'),
    fault: `update ledger_accounts set balance = ${balance}`,
  },
]);

const nothingReversed = ['completed', 'reversed', 'pending', 'failed', null].flatMap((status) =>
  ['5', '4', undefined].map((amount) => ({
    write: (ledger: LedgerBuilder, user: User) => {
      const account = ledger.account(user, 'usdc_balance');
      const entries = amount === undefined ? [] : [debit(account, '5'), credit(account, amount)];
      const reference = { id: user.id, type: null };
      Object.assign(ledger.transaction({ type: 'reversal', user, reference, entries }).row, { status });
    },
  })),
);

const withoutTransaction = ["entry_type = 'debit'", 'true', 'true'].map((which) => ({
  write: transfer,
  fault: `update ledger_entries set transaction_id = null where ${which}`,
}));

/** The host may leave out what a conversion refers to: its own type says it. */
const ofJob = (ledger: LedgerBuilder): Transaction => {
  const { row, transaction } = ledger.conversionJob('usdc_to_usd', '10', { rate: '0.9' });
  transaction!.row.reference_type = null;
  row.ledger_transaction_id = transaction!.id;
  return transaction!;
};

const inDollars = ({ entries }: Transaction) => entries.map((entry) => Object.assign(entry, { currency: 'USD' }));

/** An investment that names a job, and may book less than it takes; as an opening balance it may not. */
const investmentsOfJobs = [null, 'migration_x'].map((idempotency_key) => ({
  write: (ledger: LedgerBuilder) => {
    const { row } = ofJob(ledger);
    Object.assign(row, { transaction_type: 'investment', reference_type: 'conversion_job' });
    if (idempotency_key !== null) Object.assign(row, { idempotency_key });
  },
}));

/** Two transactions name a job, of which only one may cross currencies; a reversal of it mirrors that one, and is reversed. */
const reversalOfJob = (ledger: LedgerBuilder, user: User) => {
  const conversion = ofJob(ledger);
  const { reference_id } = conversion.row;
  const names = { reference_id, reference_type: 'conversion_job' };
  Object.assign(transfer(ledger, user).row, { ...names, idempotency_key: 'migration_x' });
  const reversal = ledger.reversal(conversion);
  Object.assign(reversal.row, names);
  ledger.reversal(reversal);
};

/** Begun twice: long ago, and just now. */
const reversedTwiceOver = (ledger: LedgerBuilder, user: User) => {
  const original = transfer(ledger, user);
  for (const minutesAgo of [600, 1]) ledger.reversal(original, { minutesAgo }).row.status = 'pending';
};

/** Each time what reversed it the last time. */
const reverseAgainAndAgain = (ledger: LedgerBuilder, transaction: Transaction, times: number): unknown =>
  times > 0 && reverseAgainAndAgain(ledger, ledger.reversal(transaction), times - 1);

export const stories: readonly Story[] = [
  ...withoutEntries,
  ...withWrongLegs,
  ...withoutIdOrTwice,
  ...accountTwice,
  namesakes,
  ...balances,
  ...nothingReversed,
  ...withoutTransaction,
  ...investmentsOfJobs,
  { write: reversalOfJob },
  { write: reversedTwiceOver },
  { write: transfer, fault: "update ledger_entries set amount = 'Infinity'" },
  {
    write: (ledger, user) =>
      [1, 2, 3].map((times) => reverseAgainAndAgain(ledger, ledger.deposit(user, '7').transaction!, times)),
  },
  // a leg in two currencies, where the record names none
  {
    write: (ledger, user) => {
      const { transaction } = ledger.withdrawal(user, '7');
      ledger.entry(credit(ledger.account(user, 'fiat_exposure'), '3'), transaction!.id);
    },
  },
  {
    write: (ledger, user) => {
      const { transaction } = ledger.deposit(user, '7');
      ledger.entry(debit(ledger.account(user, 'fiat_exposure'), '3'), transaction!.id);
    },
    fault: 'update deposits set token = null',
  },
  {
    write: (ledger, user) => inDollars(ledger.postWithdrawal(user, ledger.withdrawal(user, '7').id, '3')),
  },
  {
    write: (ledger, user) => inDollars(ledger.postDeposit(user, ledger.deposit(user, '7').id, '3')),
    fault: 'update deposits set token = null',
  },
  // to somebody else, but never in force
  ...['failed', 'pending', null].map((status) => ({
    write: (ledger: LedgerBuilder, user: User) =>
      Object.assign(ledger.deposit(user, '7', { postedTo: ledger.user() }).transaction!.row, { status }),
  })),
  // posted to two others
  {
    write: (ledger, user) => {
      const { id } = ledger.deposit(user, '5', { postedTo: ledger.user() });
      ledger.postDeposit(ledger.user(), id, '3');
    },
  },
  {
    write: (ledger, user) => {
      const { id } = ledger.deposit(user, '5', { postedAmount: '4' });
      for (let count = 0; count < 3; count += 1) ledger.postDeposit(user, id, '0');
    },
  },
  // a job that failed and says nothing of its destination, though it arrived there; of another there is no job
  {
    write: (ledger, user) => {
      const { id, row } = ledger.conversionJob('usdc_to_usd', '7', { status: 'cancelled' });
      row.exchange_rate = null;
      ledger.postConversionJob('usdc_to_usd', id, '0', '7');
      ledger.postConversionJob('usdc_to_usd', user.id, '7', '7');
    },
  },
  // jobs that do not say what should arrive: it does, or nothing; it is taken back; nothing is booked; no source either
  {
    write: (ledger) => {
      const unsaid = { destination_amount: null, exchange_rate: null };
      const [taken, ...others] = ['1', '0.5', '0'].map((rate) => ledger.conversionJob('usdc_to_usd', '8', { rate }));
      for (const { row } of [taken!, ...others]) Object.assign(row, unsaid);
      ledger.reversal(taken!.transaction!);
      Object.assign(ledger.conversionJob('usdc_to_usd', '8', { post: false }).row, unsaid);
      Object.assign(ledger.conversionJob('usdc_to_usd', '8').row, { ...unsaid, source_amount: '0' });
    },
  },
  // two that the ledger need not know yet
  { write: (ledger, user) => ['5', '7'].map((amount) => ledger.deposit(user, amount, { minutesAgo: 1, post: false })) },
  // next to nothing, nothing, and nobody knows how much
  { write: (ledger, user) => ledger.postDeposit(user, ledger.deposit(user, '0.5').id, '0.5') },
  { write: (ledger, user) => ledger.deposit(user, '5', { postedAmount: '0' }) },
  { write: (ledger, user) => ledger.deposit(user, '5'), fault: 'update ledger_entries set amount = null' },
  { write: ofJob },
  { write: ofJob, fault: 'insert into ledger_transactions select * from ledger_transactions' },
  // a job that names another transaction than the one that books it
  {
    write: (ledger) => {
      const jobs = [ledger.conversionJob('usdc_to_usd', '7'), ledger.conversionJob('usdc_to_usd', '7')];
      for (const [at, { row }] of jobs.entries()) row.ledger_transaction_id = jobs[1 - at]!.transaction!.id;
    },
  },
  ...['failed', 'pending', null, 'completed'].map((status) => ({
    write: (ledger: LedgerBuilder) => {
      const { id, row } = ledger.conversionJob('usdc_to_usd', '7');
      const other = ledger.postConversionJob('usdc_to_usd', id, '7', '7');
      row.ledger_transaction_id = other.id;
      Object.assign(other.row, { status });
    },
  })),
  {
    write: (ledger) => {
      const { id, row } = ledger.conversionJob('usdc_to_usd', '7');
      const reference = { id, type: 'conversion_job' };
      row.ledger_transaction_id = ledger.transaction({ type: 'conversion', reference, entries: [] }).id;
      Object.assign(ofJob(ledger).row, { status: null });
    },
  },
  // postings of nothing, and their opposite
  ...[true, false].map((isNamed) => ({
    write: (ledger: LedgerBuilder, user: User) => {
      const nothing = () => (isNamed ? ledger.random.uuid() : null);
      Object.assign(ledger.postDeposit(user, user.id, '7').row, { reference_id: nothing() });
      const mirror = ledger.postWithdrawal(user, user.id, '7');
      Object.assign(mirror.row, { transaction_type: 'reversal', reference_type: 'deposit', reference_id: nothing() });
    },
  })),
  {
    write: (ledger, user) => {
      const [paid, received] = [ledger.postWithdrawal(user, user.id, '7'), ledger.postDeposit(user, user.id, '7')];
      ledger.entry(credit(ledger.account(user, 'fiat_exposure'), '3'), paid.id);
      ledger.entry(debit(ledger.account(user, 'fiat_exposure'), '3'), received.id);
    },
  },
  // legs of a job that are nothing together, though neither is by itself
  {
    write: (ledger, user) => {
      ledger.postConversionJob('usdc_to_usd', user.id, '7', '7');
      const reference = { id: user.id, type: 'conversion_job' };
      const entries = [debit(ledger.systemAccount('system_buffer_usdc'), '14')];
      ledger.transaction({ type: 'reversal', reference, entries });
    },
  },
  {
    write: (ledger, user) =>
      Object.assign(ledger.postDeposit(user, user.id, '7').row, { reference_id: null, status: null }),
  },
  ...['failed', 'pending', null].map((status) => ({
    write: (ledger: LedgerBuilder, user: User) => Object.assign(ledger.deposit(user, '7').transaction!.row, { status }),
  })),
  {
    write: (ledger) => {
      const { id, row } = ledger.conversionJob('usdc_to_usd', '7', { post: false });
      Object.assign(row, {
        direction: null,
        ledger_transaction_id: ledger.postConversionJob('usdc_to_usd', id, '8', '6').id,
      });
    },
  },
  { write: (ledger, user) => ledger.deposit(user, '7'), fault: 'insert into deposits select * from deposits' },
  {
    write: (ledger, user) => ledger.deposit(user, '7'),
    fault: 'update ledger_transactions set idempotency_key = null',
  },
  // it came at the very moment from which on an hourly run looks
  { write: (ledger, user) => ledger.deposit(user, '7', { post: false, minutesAgo: 24 * 60 }) },
  // settled so lately that nothing is missing yet: by what of its times is there
  {
    write: (ledger, user) => {
      const [offRamped, confirmed, came] = [1_500, 1_500, 0].map(
        (settledAfterMinutes) => ledger.deposit(user, '7', { post: false, minutesAgo: 2, settledAfterMinutes }).row,
      );
      const { created_at } = offRamped!;
      Object.assign(offRamped!, { alpaca_funded_at: null, confirmed_at: created_at });
      Object.assign(confirmed!, { alpaca_funded_at: null, off_ramp_completed_at: null });
      Object.assign(came!, { alpaca_funded_at: null, off_ramp_completed_at: null, confirmed_at: null });
      ledger.withdrawal(user, '7', { post: false, minutesAgo: 2 }).row.completed_at = null;
    },
  },
  // one that names no currency hides no other that is booked in the wrong one
  {
    write: (ledger, user) => {
      Object.assign(ledger.deposit(user, '7').row, { token: null });
      inDollars(ledger.postDeposit(user, ledger.deposit(user, '5', { post: false }).id, '5'));
    },
  },
  {
    write: (ledger) => {
      Object.assign(ledger.conversionJob('usdc_to_usd', '7').row, { direction: null });
      const { id, row } = ledger.conversionJob('usdc_to_usd', '7', { post: false });
      row.ledger_transaction_id = ledger.postConversionJob('usd_to_usdc', id, '7', '7').id;
    },
  },
  { write: (ledger) => Object.assign(ofJob(ledger).row, { transaction_type: 'investment' }) },
  {
    write: (ledger) => [ofJob(ledger), ofJob(ledger)],
    fault: `
      update ledger_entries set transaction_id = (select id from ledger_transactions order by id limit 1)
      where entry_type = 'debit'`,
  },
  { write: (ledger) => ledger.reversal(ofJob(ledger)) },
  { write: (ledger, user) => ledger.reversal(ledger.transaction({ type: 'internal_transfer', user, entries: [] })) },
  { write: transfer, fault: 'update ledger_entries set amount = null' },
  // each wrong in one way only, and on both sides
  {
    write: (ledger, user) => {
      for (const change of [{ amount: 'Infinity' }, { entry_type: 'sideways' }])
        for (const entry of transfer(ledger, user).entries) Object.assign(entry, change);
      const euros = ledger.account(user, 'pending_investment');
      euros.row.currency = 'EUR';
      ledger.internalTransfer(user, euros, euros, '5');
    },
  },
  // dollars for coins, which no transfer may give; and a debit of nothing
  {
    write: (ledger, user) => {
      const [usdc, usd] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'fiat_exposure')];
      ledger.internalTransfer(user, usdc, usd, '5');
      ledger.transaction({ type: 'internal_transfer', user, entries: [debit(usdc, '0'), credit(usdc, '5')] });
    },
  },
  { write: transfer, fault: "update ledger_entries set id = null where entry_type = 'debit'" },
  {
    write: (ledger, user) => ledger.deposit(user, '9', { status: 'failed', post: true }),
    fault: "update ledger_entries set account_id = (select id from users limit 1) where entry_type = 'debit'",
  },
  {
    write: (ledger, user) => {
      const [usdc, pending] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'pending_investment')];
      ledger.internalTransfer(user, usdc, pending, '0');
      pending.row.balance = '5';
    },
  },
  // it got an entry at the very moment up to which all is verified
  {
    write: (ledger, user) => {
      const { id } = ledger.investment(user, '5', { minutesAgo: 48 * 60 });
      ledger.entry(debit(ledger.account(user, 'usdc_balance'), '9'), id, ledger.minutesAgo(24 * 60));
    },
  },
  {
    write: transfer, // its header is gone, and its entries are days apart
    fault: `
      update ledger_entries
      set transaction_id = (select id from users limit 1), created_at = created_at - interval '1 day' * length(entry_type::text)`,
  },
  {
    write: (ledger, user) => {
      const account = ledger.account(user, 'usdc_balance');
      ledger.transaction({ type: 'internal_transfer', user, entries: [debit(account, '5'), credit(account, '4')] });
    },
  },
  {
    write: (ledger) => {
      const [buffer, broker] = [ledger.systemAccount('system_buffer_fiat'), ledger.systemAccount('broker_operational')];
      const entries = [debit(buffer, '5'), debit(buffer, '6'), credit(broker, '3'), credit(broker, '4')];
      ledger.transaction({ type: 'buffer_replenishment', entries });
      ledger.transaction({ type: 'buffer_replenishment', entries: [...entries, credit(broker, '4')] });
    },
  },
  {
    write: (ledger, user) => {
      const [one, other] = [reversed(ledger, user), reversed(ledger, user)];
      one.row.reference_id = other.id;
      other.row.reference_id = one.id;
    },
  },
  {
    write: (ledger, user) => {
      const original = split(ledger, user);
      original.row.status = 'reversed';
      const [debited, , credited] = original.entries;
      const mirror = ledger.transaction({
        type: 'reversal',
        user,
        reference: { id: original.id, type: null },
        entries: [],
      });
      const [usdc, stash] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance')];
      for (const side of [credit(usdc, debited!.amount!), debit(stash, credited!.amount!)])
        ledger.entry(side, mirror.id);
    },
  },
  // of two entries without a transaction one has no id, and the other an account that nobody knows
  {
    write: transfer,
    fault: `
      update ledger_entries
      set
        transaction_id = null,
        id = case entry_type when 'credit' then id end,
        account_id = case entry_type when 'credit' then id else account_id end`,
  },
  // an account without an id, of a user who has no other
  {
    write: (ledger, user) => ledger.account(user, 'usdc_balance'),
    fault: 'update ledger_accounts set id = null, balance = 5',
  },
  // reversed twice; once in vain and once by too little; not yet; not for long
  {
    write: (ledger, user) => {
      const [twice, inVain] = [transfer(ledger, user), transfer(ledger, user)];
      for (const original of [twice, twice, ledger.reversal(inVain)]) ledger.reversal(original);
      for (const entry of ledger.reversal(inVain).entries) entry.amount = '4';
      for (const minutesAgo of [60, 1]) ledger.reversal(transfer(ledger, user), { minutesAgo }).row.status = 'pending';
    },
  },
  // what reverses nothing was reversed itself
  {
    write: (ledger, user) => {
      const reversal = reversed(ledger, user);
      reversal.row.reference_id = user.id;
      ledger.reversal(reversal);
    },
  },
  // still being written, or reversed just before its reversal is
  {
    write: (ledger, user) => {
      const [usdc, stash] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'stash_balance')];
      for (const entries of [[debit(usdc, '5')], [debit(usdc, '0'), credit(stash, '0')]])
        ledger.transaction({ type: 'internal_transfer', user, status: 'pending', minutesAgo: 1, entries });
      for (const minutesAgo of [5, 4, -5, -6])
        ledger.internalTransfer(user, usdc, stash, '5', { minutesAgo }).row.status = 'reversed';
    },
    isOfOtherHost: true,
  },
  // a transfer across currencies: the one that is off by more is told
  {
    write: (ledger, user) => {
      const [usdc, usd] = [ledger.account(user, 'usdc_balance'), ledger.account(user, 'fiat_exposure')];
      const sides = [
        [debit(usd, '5'), credit(usdc, '5')],
        [debit(usd, '5'), credit(usdc, '9')],
        [debit(usdc, '5'), credit(usd, '9')],
      ];
      for (const entries of sides) ledger.transaction({ type: 'internal_transfer', user, entries });
    },
  },
  // one reversal that stands twice, each time of another transaction
  {
    write: (ledger, user) => Object.assign(ledger.reversal(split(ledger, user)).row, { id: reversed(ledger, user).id }),
  },
  // a mirror that is being written, as far ahead as clocks may differ, beside one of which nobody knows
  {
    write: (ledger, user) => {
      const original = transfer(ledger, user);
      ledger.reversal(original, { minutesAgo: -5 }).row.status = 'pending';
      ledger.reversal(original).row.status = null;
    },
  },
  // posted and reversed again, and each of these transactions stands twice
  {
    write: (ledger, user) => {
      const { id } = postedAndReversed(ledger, user);
      const mirror = ledger.reversal(ledger.postDeposit(user, id, '8'));
      Object.assign(mirror.row, { reference_id: id, reference_type: 'deposit' });
    },
    fault: 'insert into ledger_transactions select * from ledger_transactions',
  },
  // another transaction refers to what was reversed
  {
    write: (ledger, user) => {
      for (const reference_type of ['reversal', 'transaction', 'ledger_transaction']) {
        const original = transfer(ledger, user);
        for (const { row } of [ledger.reversal(original), transfer(ledger, user)])
          Object.assign(row, { reference_id: original.id, reference_type });
      }
    },
  },
  // two postings in force, one of which was reversed: the older one, though it has no status
  {
    write: (ledger, user) => {
      const { id, posted } = postedAndReversed(ledger, user);
      posted.status = null;
      ledger.postDeposit(user, id, '8', { minutesAgo: 30 });
    },
  },
  {
    write: (ledger, user) => Object.assign(transfer(ledger, user).row, { status: 'pending', created_at: null }),
  },
  // a job of which the leg behind the one that is shown is further off, or booked although it failed
  ...['completed', 'failed'].flatMap((status) =>
    [
      ['6.5', '507'],
      ['7.5', '2'],
      ['-7.5', '-507'],
      ['9', '-7'],
    ].map(([source, destination]) => ({
      write: (ledger: LedgerBuilder) => {
        const { id, row } = ledger.conversionJob('usdc_to_usd', '7', { post: false, status });
        row.ledger_transaction_id = ledger.postConversionJob('usdc_to_usd', id, source!, destination!).id;
      },
    })),
  ),
  // a job that says only what arrives, which is next to nothing: posted, the other way round, taken back, and not at all
  ...[['5000', '0.01'], ['-5000', '-0.01'], ['0.01', '5000'], ['5000', '0.01', 'taken back'], []].map(
    ([source, destination, isTakenBack]) => ({
      write: (ledger: LedgerBuilder) => {
        const { id, row } = ledger.conversionJob('usdc_to_usd', '5000', { rate: '0.000002', post: false });
        Object.assign(row, { amount: null, source_amount: null });
        if (source === undefined) return;
        const posted = ledger.postConversionJob('usdc_to_usd', id, source, destination!);
        row.ledger_transaction_id = posted.id;
        if (isTakenBack !== undefined) ledger.reversal(posted);
      },
    }),
  ),
  // a job that says neither, and what arrived is taken away
  {
    write: (ledger) => {
      const { id, row } = ledger.conversionJob('usdc_to_usd', '5000', { rate: '0.000002', post: false });
      Object.assign(row, { amount: null, source_amount: null, destination_amount: null });
      ledger.postConversionJob('usdc_to_usd', id, '-0.01', '-5000');
    },
  },
  // a job that takes nothing and gives something
  {
    write: (ledger) =>
      Object.assign(ledger.conversionJob('usdc_to_usd', '0', { post: false }).row, { destination_amount: '5' }),
  },
  // a job that names a transaction that takes back more than it gives, beside one that makes up for it
  {
    write: (ledger) => {
      const { id, row } = ledger.conversionJob('usdc_to_usd', '7');
      const named = ledger.postConversionJob('usdc_to_usd', id, '-5', '3');
      ledger.postConversionJob('usdc_to_usd', id, '5', '-3');
      row.ledger_transaction_id = named.id;
    },
  },
  // a job that names another transaction that carries its id, but books none, takes back, or books nothing
  ...[
    ({ row }: Transaction) => (row.reference_type = 'order'),
    ({ row }: Transaction) => (row.idempotency_key = 'migration_7'),
    ({ row }: Transaction) => (row.transaction_type = 'reversal'),
    ({ entries }: Transaction) => entries.map((entry) => (entry.entry_type = 'sideways')),
    () => undefined,
    ({ entries }: Transaction) => entries.map((entry) => (entry.amount = '0')),
  ].flatMap((turnInto) =>
    [0, 1].map((named) => ({
      write: (ledger: LedgerBuilder) => {
        const { id, row } = ledger.conversionJob('usdc_to_usd', '7');
        const pair = ['-3', '3'].map((size) => ledger.postConversionJob('usdc_to_usd', id, size, size));
        pair.forEach(turnInto);
        row.ledger_transaction_id = pair[named]!.id;
      },
    })),
  ),
  ...withoutBottom,
  // two entries that are one and the same, of no transaction
  {
    write: transfer,
    fault: `
      update ledger_entries set transaction_id = null where entry_type = 'debit';
      insert into ledger_entries select * from ledger_entries where transaction_id is null`,
  },
];
