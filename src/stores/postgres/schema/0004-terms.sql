-- By what records of the ATM side are found again: under the key of each term in its span (see bank/terms.ts) the place
-- of the record, so that the newest rows share the newest pages. No batch writes here: any node takes records in when
-- they have their places, in turns of its own, so that what was written before there was this table, or is written by a
-- node of an older version, is found as well.
create table terms (
  term bigint not null,
  place bigint not null,
  primary key (term, place)
);

-- When the records of a span that have terms were made, so that a search for a day need not look into all of them.
create table spans (
  span bigint primary key,
  first_at bigint not null,
  last_at bigint not null
);

-- Up to which place records were taken in; its one row is the lock of who does it.
create table termed (
  id integer primary key,
  place bigint not null
);

insert into termed (id, place) values (1, 0);
