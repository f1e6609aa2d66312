/** `cashpoint verify`: proves the books from the journal, of a store that is stopped or running. Exit 1 if it cannot. */
export async function verify(): Promise<void> {}
