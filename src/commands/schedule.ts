import { Command } from 'commander';
import { choice, type CommandContext } from './options.ts';
import { print } from './print.ts';

const explanation = `
Cron and Kubernetes start the runs; RECONCILIATION_HOURLY_INTERVAL and RECONCILIATION_DAILY_RUN_TIME say when. (The timers
of deploy/systemd have the default times: OnCalendar= is changed by hand.) The
crontab takes for granted what its first lines say: recon on the path, /etc/recon/env, a folder /var/log/recon, logrotate.
The manifests take the rest of deploy/kubernetes/base for granted: image, ConfigMap and Secret; RECONCILIATION_RUN_TIMEOUT,
which has to stand in that ConfigMap too, says when Kubernetes ends a Job.

Examples:
  recon schedule print
  RECONCILIATION_DAILY_RUN_TIME=03:30 recon schedule print --format kubernetes`;

/** `recon schedule`. */
export function scheduleCommand(context: CommandContext): Command {
  return new Command('schedule').description('when runs are to be started').addCommand(printCommand(context));
}

function printCommand(context: CommandContext): Command {
  return new Command('print')
    .description('the lines or manifests that start the runs, for whoever starts them')
    .addOption(choice('--format <format>', 'for whom', ['crontab', 'kubernetes']).default('crontab'))
    .addHelpText('after', explanation)
    .action(async ({ format }: { format: 'crontab' | 'kubernetes' }) => {
      const { world } = context;
      const { parseConfigWithoutDatabase } = await import('../config.ts');
      const { cronJobsOf, crontabOf } = await import('../schedule/files.ts');
      const config = parseConfigWithoutDatabase(world.env);
      await print(world.stdout, format === 'crontab' ? crontabOf(config.schedule) : cronJobsOf(config));
    });
}
