-- Files that belong to a message: a JSON list of what is known of each. Their bytes lie in the data dir under their hash.
-- Here and not in a table of its own, so that a message and its files are copied, exported and deleted as one. Null: none.
alter table messages add column attachments text;
