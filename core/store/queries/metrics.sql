-- name: reachable
select 1 as reachable
