import { isMeant, type Fault } from './faults.ts';
import type { Phase } from './moments.ts';
import type { Aim, Rehearsal } from './trial.ts';

/** Everywhere that a fault can be done in these phases: to each of its objects in turn. */
export function aimsOf(fault: Fault, rehearsal: Rehearsal, phases: readonly Phase[]): Aim[] {
  const places = placesOf(fault, rehearsal, phases);
  if (fault.objects === undefined) return places.map((place) => ({ place }));
  const byObject = fault.objects(rehearsal).map((on, index) => {
    const first = index % places.length; // each begins at another moment
    return [...places.slice(first), ...places.slice(0, first)].map((place) => ({ on, place }));
  });
  const turns = Math.max(...byObject.map((aims) => aims.length));
  return Array.from({ length: turns }, (_, turn) => byObject.flatMap((aims) => aims.slice(turn, turn + 1))).flat();
}

/** In an order whose every beginning is spread over all of a run. */
function placesOf(fault: Fault, { moments }: Rehearsal, phases: readonly Phase[]): number[] {
  const meant = fault.at === 'beginning' ? moments.slice(0, 1) : moments.filter(isMeant(fault));
  const goldenRatio = (Math.sqrt(5) - 1) / 2;
  const spread = Array.from(meant.keys(), (index) => ({ place: index + 1, turn: 0 }));
  for (let turn = 1; turn <= 4 * meant.length; turn += 1) {
    const one = spread[Math.floor(((turn * goldenRatio) % 1) * meant.length)]!;
    one.turn ||= turn;
  }
  return spread
    .toSorted((one, other) => one.turn - other.turn)
    .map(({ place }) => place)
    .filter((place) => phases.includes(meant[place - 1]!.phase));
}
