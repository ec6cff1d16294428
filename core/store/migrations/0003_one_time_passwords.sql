-- A password that an administrator made and knows: its owner chooses another one before anything else.
alter table users add column password_is_one_time boolean;
