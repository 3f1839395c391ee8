/** What may become of an alert. Apart from the outbox, so that help stays light. */
export const alertStates = ['waiting', 'delivered', 'dead'] as const;

export type AlertState = (typeof alertStates)[number];
