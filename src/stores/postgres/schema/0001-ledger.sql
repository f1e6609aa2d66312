-- The ledger of any number of nodes. `records` and `blocks` are the journal: each writer appends its own, and nothing
-- in them is ever updated or deleted. The rest says what is looked up, written in the same transactions. Portable SQL:
-- no sequences, triggers, deferrable constraints or types of one engine's own; JSON is text.

-- One row for each committing connection that may be at work, with the lease that makes it the only one of its name.
create table writers (
  id integer primary key,
  epoch bigint not null,
  holder text not null,
  until bigint not null,
  -- Its newest block, so that a commit whose answer was lost can be looked up, and totals be added up.
  block bigint not null,
  last bigint not null,
  totals text not null
);

-- What happened, one line a row: the columns every line has, and what this one says as JSON text.
create table records (
  writer integer not null,
  sequence bigint not null,
  at bigint not null,
  kind text not null,
  actor text not null,
  scope text not null,
  body text not null,
  primary key (writer, sequence)
);

-- One commit a row: the writer's records after its previous block's, up to `last`.
create table blocks (
  writer integer not null,
  sequence bigint not null,
  clock bigint not null,
  at bigint not null,
  last bigint not null,
  totals text not null,
  previous text not null,
  hash text not null,
  primary key (writer, sequence)
);

create unique index blocks_in_order on blocks (clock, writer);
-- In which block a record is.
create unique index blocks_by_last on blocks (writer, last);

-- All writers' blocks in one order, written down when somebody first reads that far: places never change afterwards.
create table places (
  block bigint primary key,
  writer integer not null,
  sequence bigint not null,
  first bigint not null,
  last bigint not null,
  place bigint not null
);

create unique index places_of on places (writer, last);
create unique index places_by_place on places (place);

-- Where the order has come to; its one row is the lock of those who write it on.
create table placed (
  id integer primary key,
  block bigint not null,
  place bigint not null
);

insert into placed (id, block, place) values (1, 0, 0);

-- The same of each writer: its last block that has its places.
create table placed_of (
  writer integer primary key,
  sequence bigint not null
);

create table accounts (
  number text collate "C" primary key,
  currency text not null,
  ledger bigint not null,
  held bigint not null,
  version bigint not null,
  at bigint not null,
  -- The clock of the last block that touched it: the next one's is beyond it, whoever writes that.
  clock bigint not null,
  state text not null,
  -- Overdraft, limits, what is used of them, pending holds and metadata as JSON; null where there is none of it.
  more text
);

-- The sides of transfers, as the accounts saw them.
create table entries (
  account text collate "C" not null,
  version bigint not null,
  writer integer not null,
  sequence bigint not null,
  primary key (account, version)
);

-- Holds by the record that placed each, whole as JSON; in the order of the blocks.
create table holds (
  writer integer not null,
  sequence bigint not null,
  clock bigint not null,
  account text collate "C" not null,
  pending boolean not null,
  body text not null,
  primary key (writer, sequence)
);

create index holds_in_order on holds (clock, writer, sequence);
create index holds_of on holds (account, clock, writer, sequence);
create index holds_pending on holds (account) where pending;

-- How much of a transfer was taken back, and by which record last.
create table reversals (
  writer integer not null,
  sequence bigint not null,
  reversed bigint not null,
  by_writer integer not null,
  by_sequence bigint not null,
  primary key (writer, sequence)
);

-- Transfers by the client's reference.
create table refs (
  reference text collate "C" not null,
  clock bigint not null,
  writer integer not null,
  sequence bigint not null,
  primary key (reference, clock, writer, sequence)
);

-- Credentials, webhooks and adjustments by the record that made each, as they are now, as JSON.
create table registry (
  writer integer not null,
  sequence bigint not null,
  clock bigint not null,
  listed boolean not null,
  account text collate "C",
  body text not null,
  primary key (writer, sequence)
);

create index registry_listed on registry (clock, writer, sequence) where listed;

-- The records that an auditor asks for.
create table acts (
  clock bigint not null,
  writer integer not null,
  sequence bigint not null,
  primary key (clock, writer, sequence)
);

-- Where the reply under a client's key is.
create table replies (
  scope text collate "C" not null,
  key text collate "C" not null,
  writer integer not null,
  sequence bigint not null,
  at bigint not null,
  primary key (scope, key)
);

create index replies_by_age on replies (at);
