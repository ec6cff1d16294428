-- name: reachable
-- server
select 1 as reachable
