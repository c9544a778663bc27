SELECT object, 'owner' AS kind, '' AS part, owner::regrole::text AS definition FROM permission WHERE part = ''
UNION ALL
SELECT r.object, 'owner', '', r.relowner::regrole::text FROM relation r WHERE r.relkind = 'c'
UNION ALL
SELECT quote_ident(t.evtname), 'owner', 'event-trigger', t.evtowner::regrole::text FROM pg_event_trigger t
UNION ALL
SELECT quote_ident(p.pubname), 'owner', 'publication', p.pubowner::regrole::text FROM pg_publication p
UNION ALL
SELECT o.oid::regoperator::text, 'owner', 'operator', o.oprowner::regrole::text FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace
WHERE ('pg_operator'::regclass, o.oid) NOT IN (SELECT classid, objid FROM extension_member)
