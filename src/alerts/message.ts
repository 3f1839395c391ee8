/** What is to be sent to a target, without its keys. */
export interface Message {
  /** One line for `recon alerts list`. */
  summary: string;
  /** JSON. */
  body: object;
}
