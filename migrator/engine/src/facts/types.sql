SELECT object, 'type' AS kind, '' AS part, CASE
    WHEN NOT typisdefined THEN 'SHELL'
    WHEN typtype = 'e' THEN 'ENUM (' || coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = type.oid), '') || ')'
    WHEN typtype = 'r' THEN (
        SELECT concat_ws(' ', 'RANGE OF', format_type(g.rngsubtype, NULL), 'OPCLASS', o.opcname,
            CASE WHEN g.rngcollation <> 0 THEN 'COLLATE ' || g.rngcollation::regcollation END,
            CASE WHEN g.rngcanonical <> 0 THEN 'CANONICAL ' || g.rngcanonical END,
            CASE WHEN g.rngsubdiff <> 0 THEN 'SUBTYPE_DIFF ' || g.rngsubdiff END)
        FROM pg_range g JOIN pg_opclass o ON o.oid = g.rngsubopc WHERE g.rngtypid = type.oid)
    ELSE concat_ws(' ', 'INPUT', typinput, 'OUTPUT', typoutput, 'LENGTH', typlen, CASE WHEN typbyval THEN 'BY VALUE' END, 'ALIGN', typalign, 'STORAGE', typstorage, 'CATEGORY', typcategory, typdefault)
END AS definition
FROM type WHERE typtype NOT IN ('c', 'd')
UNION ALL
SELECT t.object, 'domain', '', concat_ws(' ', 'AS', format_type(t.typbasetype, t.typtypmod),
    CASE WHEN t.typcollation <> b.typcollation AND t.typcollation <> 0 THEN 'COLLATE ' || t.typcollation::regcollation END,
    CASE WHEN t.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0))
FROM type t JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd'
UNION ALL
SELECT object, kind, '', pg_get_functiondef(oid) FROM routine WHERE kind <> 'aggregate'
UNION ALL
SELECT r.object, 'aggregate', '', concat_ws(' ', 'SFUNC', a.aggtransfn, 'STYPE', format_type(a.aggtranstype, NULL), 'SSPACE', a.aggtransspace,
    CASE WHEN a.aggfinalfn <> 0 THEN 'FINALFUNC ' || a.aggfinalfn || CASE WHEN a.aggfinalextra THEN ' FINALFUNC_EXTRA' ELSE '' END || ' ' || a.aggfinalmodify::text END,
    CASE WHEN a.aggcombinefn <> 0 THEN 'COMBINEFUNC ' || a.aggcombinefn END, CASE WHEN a.aggserialfn <> 0 THEN 'SERIALFUNC ' || a.aggserialfn END,
    CASE WHEN a.aggdeserialfn <> 0 THEN 'DESERIALFUNC ' || a.aggdeserialfn END,
    'INITCOND ' || quote_literal(a.agginitval),
    CASE WHEN a.aggmtransfn <> 0 THEN concat_ws(' ', 'MSFUNC', a.aggmtransfn, 'MINVFUNC', a.aggminvtransfn, 'MSTYPE', format_type(a.aggmtranstype, NULL), 'MSSPACE', a.aggmtransspace, 'MFINALFUNC', a.aggmfinalfn, 'MINITCOND', quote_literal(a.aggminitval)) END,
    CASE WHEN a.aggsortop <> 0 THEN 'SORTOP ' || a.aggsortop::regoperator END,
    'KIND', a.aggkind, 'PARALLEL', r.proparallel)
FROM routine r JOIN pg_aggregate a ON a.aggfnoid = r.oid
UNION ALL
SELECT o.oid::regoperator::text, 'operator', '', concat_ws(' ', 'FUNCTION', o.oprcode, 'RETURNS', format_type(o.oprresult, NULL),
    CASE WHEN o.oprcom <> 0 THEN 'COMMUTATOR ' || o.oprcom::regoperator END, CASE WHEN o.oprnegate <> 0 THEN 'NEGATOR ' || o.oprnegate::regoperator END,
    CASE WHEN o.oprrest <> 0 THEN 'RESTRICT ' || o.oprrest END, CASE WHEN o.oprjoin <> 0 THEN 'JOIN ' || o.oprjoin END,
    CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END)
FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace
WHERE ('pg_operator'::regclass, o.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(f.opfname) || ' USING ' || quote_ident(m.amname), 'operator-family', '', coalesce((
    SELECT string_agg(entry, ', ' ORDER BY entry COLLATE "C") FROM (
        SELECT 'OPERATOR ' || amopstrategy || ' ' || amopopr::regoperator || CASE WHEN amopsortfamily <> 0 THEN ' FOR ORDER BY ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(sf.opfname) FROM pg_opfamily sf JOIN pg_namespace n ON n.oid = sf.opfnamespace WHERE sf.oid = amopsortfamily) ELSE '' END AS entry FROM pg_amop WHERE amopfamily = f.oid
        UNION ALL
        SELECT 'FUNCTION ' || amprocnum || ' (' || format_type(amproclefttype, NULL) || ', ' || format_type(amprocrighttype, NULL) || ') ' || amproc::regprocedure FROM pg_amproc WHERE amprocfamily = f.oid
    ) entries), '')
FROM pg_opfamily f JOIN space s ON s.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
WHERE ('pg_opfamily'::regclass, f.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(c.opcname) || ' USING ' || quote_ident(m.amname), 'operator-class', '', concat_ws(' ', CASE WHEN c.opcdefault THEN 'DEFAULT' END,
    'FOR TYPE', format_type(c.opcintype, NULL), 'FAMILY', f.opfnamespace::regnamespace || '.' || quote_ident(f.opfname), CASE WHEN c.opckeytype <> 0 THEN 'STORAGE ' || format_type(c.opckeytype, NULL) END)
FROM pg_opclass c JOIN space s ON s.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod JOIN pg_opfamily f ON f.oid = c.opcfamily
WHERE ('pg_opclass'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL), 'cast', '', concat_ws(' ',
    CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT' WHEN 'b' THEN 'WITHOUT FUNCTION' ELSE 'METHOD ' || c.castmethod::text END,
    CASE c.castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT' WHEN 'e' THEN NULL ELSE 'AS ' || c.castcontext::text END)
FROM pg_cast c WHERE c.oid >= 16384 AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(c.collname), 'collation', '',
    -- Not the version of the library: that belongs to the machine.
    concat_ws(' ', 'PROVIDER', c.collprovider, 'COLLATE', c.collcollate, 'CTYPE', c.collctype,
        'LOCALE ' || coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'), 'RULES ' || (to_jsonb(c) ->> 'collicurules'),
        CASE WHEN NOT c.collisdeterministic THEN 'NONDETERMINISTIC' END)
FROM pg_collation c JOIN space s ON s.oid = c.collnamespace
WHERE ('pg_collation'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(c.conname), 'conversion', '', concat_ws(' ', CASE WHEN c.condefault THEN 'DEFAULT' END,
    'FOR', pg_encoding_to_char(c.conforencoding), 'TO', pg_encoding_to_char(c.contoencoding), 'FROM', c.conproc)
FROM pg_conversion c JOIN space s ON s.oid = c.connamespace
WHERE ('pg_conversion'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(c.cfgname), 'text-search-configuration', '', 'PARSER ' || p.prsnamespace::regnamespace || '.' || quote_ident(p.prsname) || coalesce(' ' || (
    SELECT string_agg(entry, ', ' ORDER BY entry COLLATE "C") FROM (
        SELECT t.alias || ': ' || string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS entry
        FROM pg_ts_config_map m JOIN LATERAL ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype WHERE m.mapcfg = c.oid GROUP BY t.alias
    ) entries), '')
FROM pg_ts_config c JOIN space s ON s.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
WHERE ('pg_ts_config'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(d.dictname), 'text-search-dictionary', '', concat_ws(' ', 'TEMPLATE', t.tmplnamespace::regnamespace || '.' || quote_ident(t.tmplname), d.dictinitoption)
FROM pg_ts_dict d JOIN space s ON s.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
WHERE ('pg_ts_dict'::regclass, d.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(p.prsname), 'text-search-parser', '', concat_ws(' ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype)
FROM pg_ts_parser p JOIN space s ON s.oid = p.prsnamespace
WHERE ('pg_ts_parser'::regclass, p.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT s.name || '.' || quote_ident(t.tmplname), 'text-search-template', '', concat_ws(' ', t.tmplinit, t.tmpllexize)
FROM pg_ts_template t JOIN space s ON s.oid = t.tmplnamespace
WHERE ('pg_ts_template'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extension_member)
