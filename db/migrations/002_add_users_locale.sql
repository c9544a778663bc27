-- Purpose: users choose the language of the application
-- A constant default is kept in the catalog: no row is rewritten, whatever the size of the table.

-- migrate:up
ALTER TABLE core.users ADD COLUMN locale text DEFAULT 'en' NOT NULL;

COMMENT ON COLUMN core.users.locale IS 'BCP 47 tag: en (English), de-CH (Deutsch, Schweiz), fr (français), ja (日本語)';

-- migrate:down
ALTER TABLE core.users DROP COLUMN locale;
