from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0002_events_comments_attachments_runs")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION core_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON core_event
                FOR EACH ROW EXECUTE FUNCTION core_event_is_append_only();
            """,
            """
            DROP TRIGGER event_append_only ON core_event;
            DROP FUNCTION core_event_is_append_only();
            """,
        )
    ]
