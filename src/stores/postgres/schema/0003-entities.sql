-- What the ATM side keeps, each under its name, whole as JSON: terminals, cards, withdrawals. The accounts that a body
-- names are its lock, a terminal's own among them, so that no row here is waited for.
create table entities (
  name text collate "C" primary key,
  -- The clock of the last block that changed it: the next one's is beyond it, whoever writes that.
  clock bigint not null,
  -- The terminal whose it is.
  owner text collate "C",
  waiting boolean not null,
  -- The account whose closing waits for it.
  waits_on text collate "C",
  -- When somebody must look at it although nobody asks.
  due bigint,
  body text not null
);

create index entities_waiting on entities (name) where waiting;
create index entities_waiting_on on entities (waits_on) where waits_on is not null;
create index entities_due on entities (due, name) where due is not null;
