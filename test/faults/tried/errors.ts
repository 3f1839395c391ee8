import { failing } from '../../simulate/wire.ts';
import { incompleteOrDone, ofStatement, type Fault } from '../fault.ts';

export const ofErrors = {
  'statement timeout': { what: 'PostgreSQL raises 57014 in place of the statement', ...failed('57014') },
  'serialization failure': { what: 'it raises 40001', ...failed('40001') },
  deadlock: { what: 'it raises 40P01', ...failed('40P01') },
  'no room': { what: 'it raises 53100', ...failed('53100') },
} satisfies Record<string, Fault>;

/** The server answers with this error: it really raises it, in place of the statement. */
function failed(code: string): Pick<Fault, 'at' | 'strike' | 'ends'> {
  return {
    at: 'statements',
    strike: ofStatement((statement) => {
      if (!statement.executes) return false; // but makes a connection
      statement.bytes = failing(code, 'a fault made by a test', statement);
      return true;
    }),
    ends: incompleteOrDone,
  };
}
