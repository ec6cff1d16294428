-- What to do when the chosen model fails, per conversation: automatic (null) | ask | never.
alter table conversations add column fallback text;

-- The model whose text a running turn's checkpoint holds; null until text has come.
alter table turns add column answering_model text;
