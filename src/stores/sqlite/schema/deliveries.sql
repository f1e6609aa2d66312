-- What became of webhooks' events. Not migrated, and not the truth: where this text has changed it is made anew, and
-- events since each webhook was made are sent again.

drop table if exists positions;
drop table if exists deliveries;

-- Up to which record of the journal a webhook has looked for events.
create table positions (
  webhook integer primary key,
  sequence integer not null
) strict;

create table deliveries (
  webhook integer not null,
  event integer not null,
  state text not null check (state in ('pending', 'delivered', 'dead')),
  attempts integer not null,
  first_at integer not null,
  last_at integer,
  next_at integer,
  status integer,
  error text,
  primary key (webhook, event)
) strict, without rowid;

create index deliveries_due on deliveries (webhook, next_at, event) where state = 'pending';
create index deliveries_open on deliveries (webhook, state, event) where state <> 'delivered';
