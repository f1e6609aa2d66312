/** The address cannot be listened on; the message is one line for the operator. A file of its own, so that naming it loads no server. */
export class ListenError extends Error {}
