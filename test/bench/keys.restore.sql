-- Every key and index of the host again, under its own name. The foreign keys look at every row that was loaded.
do $$
declare
  host_key record;
begin
  for host_key in select * from bench.host_key order by turn, name loop
    execute host_key.definition;
  end loop;
end
$$;
