import { isMeant, type Fault } from './fault.ts';
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

/** One of each phase first, then in an order whose every beginning is spread over all of a run. */
function placesOf(fault: Fault, { moments }: Rehearsal, phases: readonly Phase[]): number[] {
  const meant = fault.at === 'beginning' ? moments.slice(0, 1) : moments.filter(isMeant(fault));
  const spread = spreadOver(meant.length);
  const firsts = phases.flatMap((phase) => spread.find((index) => meant[index]!.phase === phase) ?? []);
  return [...new Set([...firsts, ...spread])]
    .filter((index) => phases.includes(meant[index]!.phase))
    .map((index) => index + 1);
}

/** 0 to `count - 1`, each as far from those before it as can be. */
function spreadOver(count: number): number[] {
  const goldenRatio = (Math.sqrt(5) - 1) / 2;
  const all = Array.from({ length: 4 * count }, (_, turn) => Math.floor((((turn + 1) * goldenRatio) % 1) * count));
  return [...new Set([...all, ...Array.from({ length: count }, (_, index) => index)])];
}
