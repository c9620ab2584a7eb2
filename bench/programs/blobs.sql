-- Work for sqlite3: blobs of 1 to 16 MB in a database in memory and in a file.
attach 'blobs.db' as f;
pragma f.journal_mode = off;
create table blobs (id integer primary key, bytes blob);
create table f.blobs (id integer primary key, bytes blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60)
insert into main.blobs select i, randomblob(1000000 + (i * 7919 % 16) * 1000000) from n;
insert into f.blobs select * from main.blobs;
select sum(length(hex(substr(bytes, 1, 4000000)))) from main.blobs;
select count(*) from f.blobs a join main.blobs b using (id) where a.bytes = b.bytes;
update main.blobs set bytes = bytes || bytes where id % 3 = 0;
select sum(length(bytes)) from main.blobs;
drop table main.blobs;
drop table f.blobs;
.print done
