-- How an answer came about, in a sentence, where that is not the usual way: cut at a limit of money, asked without the
-- oldest messages.
alter table messages add column note text;
