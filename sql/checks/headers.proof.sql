-- The transactions as books.proof.sql sees them: how many there are of each movement, and what the presence of exactly
-- one entry of a side in each of them adds up to.
select
  header.movement,
  count(*) as transactions,
  sum(uuid_hash_extended(header.id, params.seed)) as presence
from header
cross join params
where params.transactions is null or header.id = any (params.transactions)
group by header.movement
order by header.movement
