-- What became of webhooks' events. Not the truth, as in stores/sqlite/schema/deliveries.sql: rows change at every try,
-- and without them events since each webhook was made are sent again.

-- Up to which place of the journal a webhook has looked for events, and which node sends for it until when.
create table sending (
  webhook text collate "C" primary key,
  place bigint,
  holder text not null,
  until bigint not null
);

create table deliveries (
  webhook text collate "C" not null,
  place bigint not null,
  event text not null,
  state text not null check (state in ('pending', 'delivered', 'dead')),
  attempts integer not null,
  first_at bigint not null,
  last_at bigint,
  next_at bigint,
  status integer,
  error text,
  primary key (webhook, place)
);

create index deliveries_due on deliveries (webhook, next_at, place) where state = 'pending';
create index deliveries_open on deliveries (webhook, state, place) where state <> 'delivered';
