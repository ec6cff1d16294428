-- A price that is entered late corrects everything that was computed with the old one: not only the cost of a call, also
-- our own figure beside what its provider reported, and what a cache saved. The latest of these rows counts; null in a
-- row from before: what was computed is what the call cost.
alter table adjustments add column computed_cost_usd decimal(18,9);
alter table adjustments add column cache_saved_usd decimal(18,9);
