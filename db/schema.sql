--
-- PostgreSQL database dump
--

-- Schema of PostgreSQL 15, written by `cargo xtask dump`

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: core; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA core;


--
-- Name: SCHEMA core; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA core IS 'CRM: who works here, who buys, what they ordered';


--
-- Name: order_priority; Type: TYPE; Schema: core; Owner: -
--

CREATE TYPE core.order_priority AS ENUM (
    'low',
    'normal',
    'high',
    'urgent'
);


--
-- Name: TYPE order_priority; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TYPE core.order_priority IS 'From what can wait to what cannot; sorts in this order';


--
-- Name: touch_updated_at(); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END;
$$;


--
-- Name: FUNCTION touch_updated_at(); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core.touch_updated_at() IS 'Trigger: sets updated_at when the row has changed';


SET default_tablespace = '';

--
-- Name: audit_events; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.audit_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
)
PARTITION BY RANGE (occurred_at);


--
-- Name: TABLE audit_events; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.audit_events IS 'Who changed what and when; only ever added to';


--
-- Name: COLUMN audit_events.actor_id; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.audit_events.actor_id IS 'User who did it; null: the system';


SET default_table_access_method = heap;

--
-- Name: audit_events_2026_11; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.audit_events_2026_11 (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: audit_events_2026_12; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.audit_events_2026_12 (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: audit_events_2027_01; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.audit_events_2027_01 (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: audit_events_other; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.audit_events_other (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);


--
-- Name: customers; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.customers (
    id bigint NOT NULL,
    customer_number text NOT NULL,
    email text,
    vat_number text,
    owner_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    legal_name text NOT NULL
);


--
-- Name: TABLE customers; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.customers IS 'Companies that buy, or may buy one day';


--
-- Name: COLUMN customers.owner_id; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.customers.owner_id IS 'Who looks after the customer; null: nobody yet';


--
-- Name: COLUMN customers.legal_name; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.customers.legal_name IS 'Name as it is in the register: Müller & Söhne GmbH';


--
-- Name: orders; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.orders (
    id bigint NOT NULL,
    order_number text NOT NULL,
    customer_id bigint NOT NULL,
    assigned_to bigint,
    status text DEFAULT 'open'::text NOT NULL,
    currency text DEFAULT 'EUR'::text NOT NULL,
    total_cents bigint DEFAULT 0 NOT NULL,
    ordered_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    priority core.order_priority DEFAULT 'normal'::core.order_priority NOT NULL,
    CONSTRAINT orders_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT orders_status_is_known CHECK ((status = ANY (ARRAY['open'::text, 'shipped'::text, 'paid'::text, 'cancelled'::text]))),
    CONSTRAINT orders_total_is_not_negative CHECK ((total_cents >= 0))
);


--
-- Name: TABLE orders; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.orders IS 'What a customer ordered, one row per order';


--
-- Name: COLUMN orders.assigned_to; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.orders.assigned_to IS 'User who handles the order';


--
-- Name: COLUMN orders.total_cents; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.orders.total_cents IS 'Sum of the items, in hundredths of the currency';


--
-- Name: customer_turnover; Type: VIEW; Schema: core; Owner: -
--

CREATE VIEW core.customer_turnover AS
 SELECT customer.id AS customer_id,
    customer.customer_number,
    placed.currency,
    count(placed.id) AS orders,
    count(placed.id) FILTER (WHERE (placed.status = 'open'::text)) AS open_orders,
    COALESCE(sum(placed.total_cents) FILTER (WHERE (placed.status = 'paid'::text)), (0)::numeric) AS paid_cents
   FROM (core.customers customer
     LEFT JOIN core.orders placed ON (((placed.customer_id = customer.id) AND (placed.status <> 'cancelled'::text))))
  GROUP BY customer.id, customer.customer_number, placed.currency;


--
-- Name: VIEW customer_turnover; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON VIEW core.customer_turnover IS 'Orders and turnover by customer and currency, cancelled ones left out';


--
-- Name: customers_id_seq; Type: SEQUENCE; Schema: core; Owner: -
--

ALTER TABLE core.customers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME core.customers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: notes; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.notes (
    id bigint NOT NULL,
    subject_kind text NOT NULL,
    subject_id bigint NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT notes_subject_kind_is_known CHECK ((subject_kind = ANY (ARRAY['customer'::text, 'order'::text])))
);


--
-- Name: TABLE notes; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.notes IS 'Free text about a customer or an order';


--
-- Name: COLUMN notes.subject_id; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.notes.subject_id IS 'Id in the table that subject_kind names: no foreign key can hold this, checks/orphan_notes.sql does';


--
-- Name: notes_id_seq; Type: SEQUENCE; Schema: core; Owner: -
--

ALTER TABLE core.notes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME core.notes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: order_items; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.order_items (
    order_id bigint NOT NULL,
    line_number bigint NOT NULL,
    sku text NOT NULL,
    description text NOT NULL,
    quantity bigint NOT NULL,
    unit_price_cents bigint NOT NULL,
    CONSTRAINT order_items_price_is_not_negative CHECK ((unit_price_cents >= 0)),
    CONSTRAINT order_items_quantity_is_positive CHECK ((quantity > 0))
);


--
-- Name: TABLE order_items; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.order_items IS 'The lines of an order';


--
-- Name: orders_id_seq; Type: SEQUENCE; Schema: core; Owner: -
--

ALTER TABLE core.orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME core.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: roles; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.roles (
    code text NOT NULL,
    name text NOT NULL,
    CONSTRAINT roles_code_is_lower_case CHECK ((code = lower(code)))
);


--
-- Name: TABLE roles; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.roles IS 'What a user may do; the application knows the codes, people read the names';


--
-- Name: settings; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    description text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: TABLE settings; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.settings IS 'What an administrator may change without a release';


--
-- Name: user_roles; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.user_roles (
    user_id bigint NOT NULL,
    role_code text NOT NULL,
    granted_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: TABLE user_roles; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.user_roles IS 'Which user has which roles';


--
-- Name: users; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.users (
    id bigint NOT NULL,
    email text NOT NULL,
    full_name text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL
);


--
-- Name: TABLE users; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.users IS 'People who sign in';


--
-- Name: COLUMN users.is_active; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.users.is_active IS 'False: may no longer sign in; the row stays for the history of others';


--
-- Name: COLUMN users.locale; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.users.locale IS 'BCP 47 tag: en (English), de-CH (Deutsch, Schweiz), fr (français), ja (日本語)';


--
-- Name: staff_by_role; Type: VIEW; Schema: core; Owner: -
--

CREATE VIEW core.staff_by_role AS
 SELECT role.code AS role_code,
    role.name AS role_name,
    count(staff.id) AS active_users
   FROM ((core.roles role
     LEFT JOIN core.user_roles held ON ((held.role_code = role.code)))
     LEFT JOIN core.users staff ON (((staff.id = held.user_id) AND staff.is_active)))
  GROUP BY role.code, role.name;


--
-- Name: VIEW staff_by_role; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON VIEW core.staff_by_role IS 'How many active users hold each role';


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: core; Owner: -
--

ALTER TABLE core.users ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME core.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: schema_migration_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migration_events (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    run_id text NOT NULL,
    action text NOT NULL,
    version character varying,
    name text,
    checksum text,
    attempt integer,
    statement integer,
    statement_checksum text,
    outcome text NOT NULL,
    duration_ms bigint,
    detail text,
    actor text,
    approved_by text,
    plan_digest text,
    release text,
    session text,
    down_block text,
    backup_reference text
);


--
-- Name: schema_migration_events_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.schema_migration_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.schema_migration_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL,
    name text,
    checksum text,
    applied_at timestamp with time zone DEFAULT now(),
    applied_by text DEFAULT SESSION_USER,
    execution_ms bigint,
    release text
);


--
-- Name: audit_events_2026_11; Type: TABLE ATTACH; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events ATTACH PARTITION core.audit_events_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');


--
-- Name: audit_events_2026_12; Type: TABLE ATTACH; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events ATTACH PARTITION core.audit_events_2026_12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');


--
-- Name: audit_events_2027_01; Type: TABLE ATTACH; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events ATTACH PARTITION core.audit_events_2027_01 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');


--
-- Name: audit_events_other; Type: TABLE ATTACH; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events ATTACH PARTITION core.audit_events_other DEFAULT;


--
-- Name: audit_events audit_events_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (id, occurred_at);


--
-- Name: audit_events_2026_11 audit_events_2026_11_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events_2026_11
    ADD CONSTRAINT audit_events_2026_11_pkey PRIMARY KEY (id, occurred_at);


--
-- Name: audit_events_2026_12 audit_events_2026_12_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events_2026_12
    ADD CONSTRAINT audit_events_2026_12_pkey PRIMARY KEY (id, occurred_at);


--
-- Name: audit_events_2027_01 audit_events_2027_01_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events_2027_01
    ADD CONSTRAINT audit_events_2027_01_pkey PRIMARY KEY (id, occurred_at);


--
-- Name: audit_events_other audit_events_other_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.audit_events_other
    ADD CONSTRAINT audit_events_other_pkey PRIMARY KEY (id, occurred_at);


--
-- Name: customers customers_customer_number_key; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.customers
    ADD CONSTRAINT customers_customer_number_key UNIQUE (customer_number);


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);


--
-- Name: notes notes_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (id);


--
-- Name: order_items order_items_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.order_items
    ADD CONSTRAINT order_items_pkey PRIMARY KEY (order_id, line_number);


--
-- Name: orders orders_order_number_key; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.orders
    ADD CONSTRAINT orders_order_number_key UNIQUE (order_number);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


--
-- Name: roles roles_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (code);


--
-- Name: settings settings_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (key);


--
-- Name: user_roles user_roles_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.user_roles
    ADD CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_code);


--
-- Name: users users_email_key; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.users
    ADD CONSTRAINT users_email_key UNIQUE (email);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: schema_migration_events schema_migration_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migration_events
    ADD CONSTRAINT schema_migration_events_pkey PRIMARY KEY (id);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: audit_events_subject_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX audit_events_subject_idx ON ONLY core.audit_events USING btree (subject, occurred_at);


--
-- Name: audit_events_2026_11_subject_occurred_at_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX audit_events_2026_11_subject_occurred_at_idx ON core.audit_events_2026_11 USING btree (subject, occurred_at);


--
-- Name: audit_events_2026_12_subject_occurred_at_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX audit_events_2026_12_subject_occurred_at_idx ON core.audit_events_2026_12 USING btree (subject, occurred_at);


--
-- Name: audit_events_2027_01_subject_occurred_at_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX audit_events_2027_01_subject_occurred_at_idx ON core.audit_events_2027_01 USING btree (subject, occurred_at);


--
-- Name: audit_events_other_subject_occurred_at_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX audit_events_other_subject_occurred_at_idx ON core.audit_events_other USING btree (subject, occurred_at);


--
-- Name: customers_owner_id_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX customers_owner_id_idx ON core.customers USING btree (owner_id);


--
-- Name: notes_subject_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX notes_subject_idx ON core.notes USING btree (subject_kind, subject_id);


--
-- Name: orders_assigned_to_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX orders_assigned_to_idx ON core.orders USING btree (assigned_to);


--
-- Name: orders_customer_id_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX orders_customer_id_idx ON core.orders USING btree (customer_id);


--
-- Name: orders_status_ordered_at_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX orders_status_ordered_at_idx ON core.orders USING btree (status, ordered_at);


--
-- Name: user_roles_role_code_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX user_roles_role_code_idx ON core.user_roles USING btree (role_code);


--
-- Name: schema_migration_events_by_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX schema_migration_events_by_key ON public.schema_migration_events USING btree (action COLLATE "C", COALESCE(
CASE
    WHEN ((statement IS NOT NULL) OR (attempt IS NOT NULL)) THEN (version)::text
    WHEN (action = 'adopt'::text) THEN detail
    WHEN (version IS NULL) THEN name
    ELSE NULL::text
END, ''::text) COLLATE "C", id);


--
-- Name: audit_events_2026_11_pkey; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_pkey ATTACH PARTITION core.audit_events_2026_11_pkey;


--
-- Name: audit_events_2026_11_subject_occurred_at_idx; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_subject_idx ATTACH PARTITION core.audit_events_2026_11_subject_occurred_at_idx;


--
-- Name: audit_events_2026_12_pkey; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_pkey ATTACH PARTITION core.audit_events_2026_12_pkey;


--
-- Name: audit_events_2026_12_subject_occurred_at_idx; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_subject_idx ATTACH PARTITION core.audit_events_2026_12_subject_occurred_at_idx;


--
-- Name: audit_events_2027_01_pkey; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_pkey ATTACH PARTITION core.audit_events_2027_01_pkey;


--
-- Name: audit_events_2027_01_subject_occurred_at_idx; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_subject_idx ATTACH PARTITION core.audit_events_2027_01_subject_occurred_at_idx;


--
-- Name: audit_events_other_pkey; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_pkey ATTACH PARTITION core.audit_events_other_pkey;


--
-- Name: audit_events_other_subject_occurred_at_idx; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.audit_events_subject_idx ATTACH PARTITION core.audit_events_other_subject_occurred_at_idx;


--
-- Name: customers customers_touch_updated_at; Type: TRIGGER; Schema: core; Owner: -
--

CREATE TRIGGER customers_touch_updated_at BEFORE UPDATE ON core.customers FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();


--
-- Name: orders orders_touch_updated_at; Type: TRIGGER; Schema: core; Owner: -
--

CREATE TRIGGER orders_touch_updated_at BEFORE UPDATE ON core.orders FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();


--
-- Name: settings settings_touch_updated_at; Type: TRIGGER; Schema: core; Owner: -
--

CREATE TRIGGER settings_touch_updated_at BEFORE UPDATE ON core.settings FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();


--
-- Name: users users_touch_updated_at; Type: TRIGGER; Schema: core; Owner: -
--

CREATE TRIGGER users_touch_updated_at BEFORE UPDATE ON core.users FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();


--
-- Name: customers customers_owner_id_fkey; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.customers
    ADD CONSTRAINT customers_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES core.users(id) ON DELETE SET NULL;


--
-- Name: order_items order_items_order_id_fkey; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.order_items
    ADD CONSTRAINT order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES core.orders(id) ON DELETE CASCADE;


--
-- Name: orders orders_assigned_to_fkey; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.orders
    ADD CONSTRAINT orders_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES core.users(id) ON DELETE SET NULL;


--
-- Name: orders orders_customer_id_fkey; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.orders
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES core.customers(id);


--
-- Name: user_roles user_roles_role_code_fkey; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.user_roles
    ADD CONSTRAINT user_roles_role_code_fkey FOREIGN KEY (role_code) REFERENCES core.roles(code);


--
-- Name: user_roles user_roles_user_id_fkey; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.user_roles
    ADD CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES core.users(id) ON DELETE CASCADE;


--
-- Name: customers; Type: ROW SECURITY; Schema: core; Owner: -
--

ALTER TABLE core.customers ENABLE ROW LEVEL SECURITY;

--
-- Name: customers customers_for_staff; Type: POLICY; Schema: core; Owner: -
--

CREATE POLICY customers_for_staff ON core.customers TO crm_app USING ((EXISTS ( SELECT
   FROM core.users asking
  WHERE ((asking.id = (NULLIF(current_setting('crm.user_id'::text, true), ''::text))::bigint) AND asking.is_active AND ((customers.owner_id IS NULL) OR (customers.owner_id = asking.id) OR (EXISTS ( SELECT
           FROM core.user_roles held
          WHERE ((held.user_id = asking.id) AND (held.role_code = ANY (ARRAY['admin'::text, 'sales_lead'::text]))))))))));


--
-- Name: orders; Type: ROW SECURITY; Schema: core; Owner: -
--

ALTER TABLE core.orders ENABLE ROW LEVEL SECURITY;

--
-- Name: orders orders_for_staff; Type: POLICY; Schema: core; Owner: -
--

CREATE POLICY orders_for_staff ON core.orders TO crm_app USING ((EXISTS ( SELECT
   FROM core.customers customer
  WHERE (customer.id = orders.customer_id))));


--
-- Name: SCHEMA core; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA core TO crm_app;
GRANT USAGE ON SCHEMA core TO crm_report;


--
-- Name: TABLE customers; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE core.customers TO crm_app;


--
-- Name: TABLE orders; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE core.orders TO crm_app;


--
-- Name: TABLE customer_turnover; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT ON TABLE core.customer_turnover TO crm_report;


--
-- Name: TABLE notes; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE core.notes TO crm_app;


--
-- Name: TABLE order_items; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE core.order_items TO crm_app;


--
-- Name: TABLE roles; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT ON TABLE core.roles TO crm_app;


--
-- Name: TABLE settings; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,UPDATE ON TABLE core.settings TO crm_app;


--
-- Name: TABLE user_roles; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE core.user_roles TO crm_app;


--
-- Name: TABLE users; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE core.users TO crm_app;


--
-- Name: TABLE staff_by_role; Type: ACL; Schema: core; Owner: -
--

GRANT SELECT ON TABLE core.staff_by_role TO crm_report;


--
-- PostgreSQL database dump complete
--


--
-- Dbmate schema migrations
--

INSERT INTO public.schema_migrations (version) VALUES
    ('001'),
    ('002'),
    ('003'),
    ('004'),
    ('005'),
    ('006'),
    ('007'),
    ('008'),
    ('009'),
    ('010'),
    ('011'),
    ('012'),
    ('013');
