-- The index: what is looked up, all of it derived from the journal. Not migrated: where this text has changed, a
-- new index is made. `progress` says up to which block of the journal it has come.

create table progress (
  id integer primary key check (id = 1),
  block integer not null,
  hash text not null,
  sequence integer not null,
  -- How many customers' accounts there are.
  accounts integer not null,
  forgotten integer not null
) strict;

create table accounts (
  number text primary key,
  currency text not null,
  ledger integer not null,
  held integer not null,
  version integer not null,
  at integer not null,
  -- State, overdraft, limits and metadata as JSON; null where the account is active and has none.
  more text,
  -- What is used of its limits, as JSON; null where it never had any.
  used text,
  -- The record of its newest entry, and how many entries it has; null where it has none.
  entry integer,
  entries integer
) strict, without rowid;

-- Holds by the record that placed them, which has the rest of what they are.
create table holds (
  sequence integer primary key,
  account text not null,
  amount integer not null,
  expires_at integer not null,
  state text not null,
  captured integer,
  transfer text,
  forced integer
) strict;

create index holds_of on holds (account, sequence);
create index pending_holds on holds (account) where state = 'pending';

-- Transfers by the client's reference, as keys are.
create table refs (
  hash integer not null,
  sequence integer not null,
  primary key (hash, sequence)
) strict, without rowid;

-- How much of a transfer was taken back, and by which record last.
create table reversals (
  transfer integer primary key,
  reversed integer not null,
  last integer not null
) strict;

-- Each transfer leads to the one before it of either account, so that history is walked from the newest on: rows are
-- only appended, in the order of the journal, which costs a turn of the index far less than a row per account's side.
create table entries (
  sequence integer primary key,
  debit_before integer,
  credit_before integer
) strict;

-- Where a walk may begin other than at the newest: every so many entries of an account.
create table anchors (
  account text not null,
  version integer not null,
  at integer not null,
  sequence integer not null,
  primary key (account, version)
) strict, without rowid;

-- Credentials, webhooks and adjustments by the record that made each, as they are now, as JSON; `listed` is 1 or null.
create table registry (
  sequence integer primary key,
  listed integer,
  body text not null
) strict;

create index listed_registry on registry (sequence) where listed = 1;

-- The records that an auditor asks for.
create table acts (sequence integer primary key) strict;

-- What the ATM side keeps, as it is now, as JSON. `waiting` is 1 or null, `waits_on` the account whose closing waits for
-- it, `due` when somebody must look at it.
create table entities (
  name text primary key,
  owner text,
  waiting integer,
  waits_on text,
  due integer,
  body text not null
) strict;

create index waiting_entities on entities (name) where waiting = 1;
create index entities_waiting_on on entities (waits_on) where waits_on is not null;
create index due_entities on entities (due, name) where due is not null;

-- The records that a term leads to, under its key in their span (see bank/terms.ts): a turn's rows stand together. The
-- record itself says whether it is what was sought.
create table terms (
  term integer not null,
  sequence integer not null,
  primary key (term, sequence)
) strict, without rowid;

-- When the records of a span that have terms were made, so that a search for a day need not look into all of them.
create table spans (
  span integer primary key,
  first_at integer not null,
  last_at integer not null
) strict;

-- Where the reply under a client's key is: 48 bits of a hash, and the record. The record has the key itself.
create table keys (
  hash integer not null,
  sequence integer not null,
  primary key (hash, sequence)
) strict, without rowid;

insert into progress (id, block, hash, sequence, accounts, forgotten) values (1, 0, '', 0, 0, 0);
