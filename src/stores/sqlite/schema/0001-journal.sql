-- The journal: what happened, in order, for ever. Nothing in `records` and `blocks` is ever updated or deleted.

create table migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  at integer not null
) strict;

create table writers (
  id integer primary key,
  epoch integer not null,
  holder text not null
) strict;

-- One line a row: the columns every line has, and what this one says as JSON text, covered by its block's hash.
create table records (
  sequence integer primary key,
  at integer not null,
  kind text not null,
  actor text not null,
  scope text not null,
  body text not null
) strict;

-- One commit a row: the records after the previous block's, up to `last`.
create table blocks (
  sequence integer primary key,
  writer integer not null references writers,
  clock integer not null,
  at integer not null,
  last integer not null,
  totals text not null,
  previous text not null,
  hash text not null
) strict;

create trigger records_are_kept before delete on records
begin select raise(abort, 'records are never deleted'); end;

create trigger records_stay before update on records
begin select raise(abort, 'records are never changed'); end;

-- The next one or none: `insert or replace` finds nothing to replace, and no number is left out.
create trigger records_follow before insert on records
when new.sequence is not (select coalesce(max(sequence), 0) + 1 from records)
begin select raise(abort, 'records follow each other without a gap'); end;

create trigger blocks_are_kept before delete on blocks
begin select raise(abort, 'blocks are never deleted'); end;

create trigger blocks_stay before update on blocks
begin select raise(abort, 'blocks are never changed'); end;

create trigger blocks_follow before insert on blocks
when new.sequence is not (select coalesce(max(sequence), 0) + 1 from blocks)
begin select raise(abort, 'blocks follow each other without a gap'); end;

-- For people with a SQL prompt: transfers as rows.
create view transfers as
select
  '1-' || sequence as id,
  body ->> 'type' as type,
  body ->> 'debit' as debit_account,
  body ->> 'credit' as credit_account,
  body ->> 'amount' as amount,
  body ->> 'currency' as currency,
  body ->> 'key' as key,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') as created_at
from records
where kind = 'transfer';

insert into writers (id, epoch, holder) values (1, 0, '');
