-- Purpose: keep who changed what, by month, so that an old month goes with one DROP TABLE
-- The bounds name their time zone: without it they would depend on the session that runs the file.
-- No foreign key to users: an event outlives its actor.

-- migrate:up
CREATE TABLE core.audit_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);

COMMENT ON TABLE core.audit_events IS 'Who changed what and when; only ever added to';
COMMENT ON COLUMN core.audit_events.actor_id IS 'User who did it; null: the system';

CREATE TABLE core.audit_events_2026_11 PARTITION OF core.audit_events
    FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');

CREATE TABLE core.audit_events_2026_12 PARTITION OF core.audit_events
    FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');

CREATE TABLE core.audit_events_2027_01 PARTITION OF core.audit_events
    FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');

-- Takes what no month takes: an event is never lost because nobody added a partition in time.
CREATE TABLE core.audit_events_other PARTITION OF core.audit_events DEFAULT;

CREATE INDEX audit_events_subject_idx ON core.audit_events (subject, occurred_at);

-- migrate:down
DROP TABLE core.audit_events;
