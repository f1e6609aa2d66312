-- The index: what is looked up, all of it derived from the journal. Not migrated: where this text has changed, a
-- new index is made. `progress` says up to which block of the journal it has come.

create table progress (
  id integer primary key check (id = 1),
  block integer not null,
  hash text not null,
  sequence integer not null,
  accounts integer not null,
  forgotten integer not null
) strict;

create table accounts (
  number text primary key,
  currency text not null,
  ledger integer not null,
  held integer not null,
  version integer not null,
  at integer not null
) strict, without rowid;

-- Where the reply under a client's key is: 48 bits of a hash, and the record. The record has the key itself.
create table keys (
  hash integer not null,
  sequence integer not null,
  primary key (hash, sequence)
) strict, without rowid;

insert into progress (id, block, hash, sequence, accounts, forgotten) values (1, 0, '', 0, 0, 0);
