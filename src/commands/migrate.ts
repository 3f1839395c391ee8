import { Command } from 'commander';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import type { DownPlan, MigrationStatus } from '../migrations/migrations.ts';
import { OperatorError } from '../operator-error.ts';
import { plain } from '../plain.ts';
import type { World } from '../world.ts';
import { confirm } from './confirm.ts';
import { outputOption, yesOption, type CommandContext, type OutputFormat } from './options.ts';
import { print, tell } from './print.ts';
import { waitsOf } from './store.ts';

/** `recon migrate`. */
export function migrateCommand(context: CommandContext): Command {
  return new Command('migrate')
    .description("the tables of recon: RECONCILIATION_SCHEMA, else the database's default schema")
    .addCommand(upCommand(context), { isDefault: true })
    .addCommand(downCommand(context))
    .addCommand(statusCommand(context));
}

interface Flags {
  yes?: boolean;
  dropHistory?: boolean;
  print?: boolean;
  output: OutputFormat;
}

function upCommand(context: CommandContext): Command {
  return new Command('up')
    .description('make the tables, or bring them up to date (the default)')
    .addHelpText(
      'after',
      '\nA first version of the three tables that is there already is adopted with its data. A schema that is missing is made.\nWants a role that may create tables; `recon run` does not.\n\nExamples:\n  DATABASE_URL=postgres://owner@db/app recon migrate\n  recon migrate --print >recon.sql && psql -f recon.sql  # as somebody who may; then sql/roles.sql',
    )
    .option('--print', 'change nothing: print the SQL of what is pending, for a database administrator')
    .action(async (_flags, command: Command) => {
      const { world } = context;
      await withSchema(world, async (database, schema, config) => {
        if (command.optsWithGlobals<Flags>().print === true) {
          const { migrationScript } = await import('../migrations/script.ts');
          return print(world.stdout, await migrationScript(database, schema));
        }
        const { migrateUp } = await import('../migrations/migrations.ts');
        const done = await migrateUp(database, schema);
        const { appliedText } = await import('../output/migrations.ts');
        await print(world.stdout, appliedText(done));
        await pushBaseline(database, done.schema, config, world);
        await warnOfHost(database, config, world);
      });
    });
}

/** An increase is seen only of what was there before: the zeros of today are what the first failure is held against. */
async function pushBaseline(database: Database, schema: string, config: Config, world: World): Promise<void> {
  const { pushMetrics } = await import('../metrics/pushgateway.ts');
  try {
    await pushMetrics(database, schema, config, world);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    await tell(world, `recon: the tables are there; ${error.message}\n`);
  }
}

/** Tables are made in any database: whoever named a wrong one is to hear of it now. */
async function warnOfHost(database: Database, config: Config, world: World): Promise<void> {
  const { consultAboutHost } = await import('../doctor/index.ts');
  for (const { message, next } of await consultAboutHost(database, config, world))
    await tell(world, `recon: warning: ${plain([message, next ?? ''].join(' ').trim())}\n`);
}

function downCommand(context: CommandContext): Command {
  return new Command('down')
    .description('drop the tables that recon made, with their data; adopted tables stay')
    .addOption(yesOption())
    .option('--drop-history', 'with --yes: also where runs and what people did are on record')
    .option('--print', 'change nothing: print the SQL, for a database administrator')
    .addHelpText(
      'after',
      '\nSays which tables go, with how many rows, and asks a person to type the name of the database.\n\nExamples:\n  recon migrate down\n  recon migrate down --yes --drop-history  # for a script: a database that is thrown away\n  recon migrate down --print >away.sql',
    )
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<Flags>();
      await withSchema(world, async (database, schema) => {
        if (flags.print !== true) return down(database, schema, flags, world);
        const { downScript } = await import('../migrations/script.ts');
        return print(world.stdout, await downScript(database, schema));
      });
    });
}

async function down(database: Database, schema: string | undefined, flags: Flags, world: World): Promise<void> {
  const { migrateDown, planDown } = await import('../migrations/migrations.ts');
  const { lossText, revertedText } = await import('../output/migrations.ts');
  const plan = await planDown(database, schema);
  if (plan.tables.length > 0) {
    await print(world.stderr, lossText(plan));
    if (flags.yes !== true)
      await confirm(plain(plan.database), 'This drops tables', 'which is the name of the database', world);
    else if (flags.dropHistory !== true) assertNoRecord(plan);
  }
  await print(world.stdout, revertedText(await migrateDown(database, schema)));
}

/** A habit such as --yes is not enough to lose what an auditor will ask for. */
function assertNoRecord({ record }: DownPlan): void {
  if (record.length === 0) return;
  throw new OperatorError(
    64,
    `--yes alone does not drop what nothing can bring back, the rows of ${record.join(', ')}. Nothing was changed.`,
    'Keep a copy of them (deploy/backup.md), and add --drop-history.',
  );
}

function statusCommand(context: CommandContext): Command {
  return new Command('status')
    .description('which migrations are applied; exit code 2 if one is pending, or what they made is gone')
    .addOption(outputOption('table', 'json'))
    .addHelpText('after', '\nExample:\n  recon migrate status -o json')
    .action(async (_flags, command: Command) => {
      const { world } = context;
      const flags = command.optsWithGlobals<Flags>();
      await withSchema(world, async (database, schema) => {
        const { migrationStatus } = await import('../migrations/migrations.ts');
        const status = await migrationStatus(database, schema);
        await printStatus(status, flags.output, world);
        if (status.gone.length > 0 || status.migrations.some(({ appliedAt }) => appliedAt === null))
          context.exitWith(2);
      });
    });
}

async function printStatus(status: MigrationStatus, format: OutputFormat, world: World): Promise<void> {
  const { statusRows, statusTable } = await import('../output/migrations.ts');
  const { schema, gone } = status;
  if (format === 'json') {
    const { toJson } = await import('../output/json.ts');
    return print(world.stdout, toJson({ schema, migrations: statusRows(status), gone }));
  }
  await print(world.stdout, statusTable(status));
  if (gone.length === 0) return;
  const { goneSentence, howToBringBack } = await import('../migrations/gone.ts');
  await tell(world, `recon: ${plain(goneSentence(schema, gone))}\n${howToBringBack}\n`);
}

/** Gives `body` the database and the schema that the environment names, migrated or not. */
async function withSchema(
  world: World,
  body: (database: Database, schema: string | undefined, config: Config) => Promise<void>,
): Promise<void> {
  const { parseConfig } = await import('../config.ts');
  const { withDatabase } = await import('../database/database.ts');
  const { lockTimeoutMs } = await import('../run/timeout.ts');
  const config = parseConfig(world.env);
  const pool = { connections: 2, ...waitsOf(world), lockTimeoutMs: lockTimeoutMs(config) };
  await withDatabase(config.databaseUrl, pool, (database) => body(database, config.schema, config));
}
