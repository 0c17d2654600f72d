CREATE TABLE "applicant" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "first_name" VARCHAR(255) NOT NULL,
    "surname" VARCHAR(255) NOT NULL,
    "entity_name" VARCHAR(255) NOT NULL,
    "stir" VARCHAR(255) NOT NULL,
    "sex" VARCHAR(255) NOT NULL,
    "born_on" DATE,
    "passport" VARCHAR(255) NOT NULL,
    "pinfl" VARCHAR(255) NOT NULL,
    "phone" VARCHAR(255) NOT NULL,
    "search_key" VARCHAR(255) NOT NULL,
    "created_at" INTEGER NOT NULL
);
CREATE INDEX "applicant_stir" ON "applicant" ("stir");
CREATE INDEX "applicant_pinfl" ON "applicant" ("pinfl");
CREATE INDEX "applicant_phone" ON "applicant" ("phone");
CREATE INDEX "applicant_search_key" ON "applicant" ("search_key");
CREATE TABLE "user" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "login" VARCHAR(255) NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "role" VARCHAR(255) NOT NULL,
    "password_hash" TEXT NOT NULL,
    "language" VARCHAR(255) NOT NULL,
    "theme" VARCHAR(255) NOT NULL,
    "large_text" INTEGER NOT NULL,
    "extension" VARCHAR(255),
    "sip_password" VARCHAR(255),
    "speaks" VARCHAR(255) NOT NULL,
    "active" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "session_number" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "user_login" ON "user" ("login");
CREATE UNIQUE INDEX "user_extension" ON "user" ("extension");
CREATE TABLE "region" (
    "soato" VARCHAR(255) NOT NULL PRIMARY KEY,
    "name_uz_latn" VARCHAR(255) NOT NULL,
    "name_uz_cyrl" VARCHAR(255) NOT NULL,
    "name_ru" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL
);
CREATE TABLE "district" (
    "soato" VARCHAR(255) NOT NULL PRIMARY KEY,
    "name_uz_latn" VARCHAR(255) NOT NULL,
    "name_uz_cyrl" VARCHAR(255) NOT NULL,
    "name_ru" VARCHAR(255) NOT NULL,
    "region_id" VARCHAR(255) NOT NULL,
    "aliases" VARCHAR(255) NOT NULL,
    "search_key" VARCHAR(255) NOT NULL,
    FOREIGN KEY ("region_id") REFERENCES "region" ("soato") ON DELETE RESTRICT
);
CREATE INDEX "district_region_id" ON "district" ("region_id");
CREATE INDEX "district_search_key" ON "district" ("search_key");
CREATE TABLE "mahalla" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name_uz_latn" VARCHAR(255) NOT NULL,
    "name_uz_cyrl" VARCHAR(255) NOT NULL,
    "name_ru" VARCHAR(255) NOT NULL,
    "code" VARCHAR(255),
    "district_id" VARCHAR(255),
    "search_key" VARCHAR(255) NOT NULL,
    "typed" INTEGER NOT NULL,
    FOREIGN KEY ("district_id") REFERENCES "district" ("soato") ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "mahalla_code" ON "mahalla" ("code");
CREATE INDEX "mahalla_district_id" ON "mahalla" ("district_id");
CREATE INDEX "mahalla_search_key" ON "mahalla" ("search_key");
CREATE INDEX "mahalla_district_id_search_key" ON "mahalla" ("district_id", "search_key");
CREATE TABLE "appeal" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "number" VARCHAR(255) NOT NULL,
    "call_id" VARCHAR(255),
    "applicant_id" INTEGER NOT NULL,
    "operator_id" INTEGER NOT NULL,
    "received_at" INTEGER NOT NULL,
    "registered_at" INTEGER NOT NULL,
    "applicant_kind" VARCHAR(255) NOT NULL,
    "appeal_type" VARCHAR(255) NOT NULL,
    "call_type" VARCHAR(255) NOT NULL,
    "group" VARCHAR(255) NOT NULL,
    "employment" VARCHAR(255) NOT NULL,
    "direction" VARCHAR(255) NOT NULL,
    "first_name" VARCHAR(255) NOT NULL,
    "surname" VARCHAR(255) NOT NULL,
    "entity_name" VARCHAR(255) NOT NULL,
    "stir" VARCHAR(255) NOT NULL,
    "region_id" VARCHAR(255),
    "district_id" VARCHAR(255),
    "mahalla_id" INTEGER,
    "region_text" VARCHAR(255) NOT NULL,
    "district_text" VARCHAR(255) NOT NULL,
    "address" TEXT NOT NULL,
    "passport" VARCHAR(255) NOT NULL,
    "pinfl" VARCHAR(255) NOT NULL,
    "sex" VARCHAR(255) NOT NULL,
    "born_on" DATE,
    "born_text" VARCHAR(255) NOT NULL,
    "phone" VARCHAR(255) NOT NULL,
    "phone_at_hand" VARCHAR(255) NOT NULL,
    "openness" VARCHAR(255) NOT NULL,
    "gist" TEXT NOT NULL,
    "consultation" INTEGER NOT NULL,
    "consultation_issue" TEXT NOT NULL,
    "consultation_contact" TEXT NOT NULL,
    "warnings" TEXT NOT NULL,
    "token" VARCHAR(255),
    "typed" TEXT NOT NULL,
    FOREIGN KEY ("applicant_id") REFERENCES "applicant" ("id") ON DELETE RESTRICT,
    FOREIGN KEY ("operator_id") REFERENCES "user" ("id") ON DELETE RESTRICT,
    FOREIGN KEY ("region_id") REFERENCES "region" ("soato") ON DELETE RESTRICT,
    FOREIGN KEY ("district_id") REFERENCES "district" ("soato") ON DELETE RESTRICT,
    FOREIGN KEY ("mahalla_id") REFERENCES "mahalla" ("id") ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "appeal_number" ON "appeal" ("number");
CREATE INDEX "appeal_call_id" ON "appeal" ("call_id");
CREATE INDEX "appeal_applicant_id" ON "appeal" ("applicant_id");
CREATE INDEX "appeal_operator_id" ON "appeal" ("operator_id");
CREATE INDEX "appeal_received_at" ON "appeal" ("received_at");
CREATE INDEX "appeal_registered_at" ON "appeal" ("registered_at");
CREATE INDEX "appeal_region_id" ON "appeal" ("region_id");
CREATE INDEX "appeal_district_id" ON "appeal" ("district_id");
CREATE INDEX "appeal_mahalla_id" ON "appeal" ("mahalla_id");
CREATE INDEX "appeal_phone" ON "appeal" ("phone");
CREATE UNIQUE INDEX "appeal_token" ON "appeal" ("token");
CREATE TABLE "asterisk_watch" (
    "started_at" INTEGER NOT NULL PRIMARY KEY,
    "seen_at" INTEGER NOT NULL
);
CREATE TABLE "audit_entry" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "who" VARCHAR(255) NOT NULL,
    "action" VARCHAR(255) NOT NULL,
    "subject" VARCHAR(255) NOT NULL,
    "detail" TEXT NOT NULL,
    "hash" VARCHAR(255) NOT NULL
);
CREATE INDEX "auditentry_at" ON "audit_entry" ("at");
CREATE INDEX "auditentry_who" ON "audit_entry" ("who");
CREATE TABLE "calendar_day" (
    "date" DATE NOT NULL PRIMARY KEY,
    "name_uz_latn" VARCHAR(255) NOT NULL,
    "name_uz_cyrl" VARCHAR(255) NOT NULL,
    "name_ru" VARCHAR(255) NOT NULL,
    "kind" VARCHAR(255) NOT NULL,
    "working" INTEGER NOT NULL
);
CREATE TABLE "call" (
    "id" VARCHAR(255) NOT NULL PRIMARY KEY,
    "direction" VARCHAR(255) NOT NULL,
    "arrived_at" INTEGER NOT NULL,
    "ended_at" INTEGER,
    "hotline_number" VARCHAR(255),
    "diverted_from" VARCHAR(255),
    "caller" VARCHAR(255),
    "callee" VARCHAR(255),
    "trunk" VARCHAR(255),
    "technology" VARCHAR(255) NOT NULL,
    "language" VARCHAR(255),
    "menu" TEXT NOT NULL,
    "stage" VARCHAR(255) NOT NULL,
    "outcome" VARCHAR(255),
    "short" INTEGER NOT NULL,
    "synthetic" INTEGER NOT NULL,
    "menu_seconds" REAL NOT NULL,
    "wait_seconds" REAL,
    "talk_seconds" REAL NOT NULL,
    "hold_seconds" REAL NOT NULL,
    "ended_by" VARCHAR(255),
    "rating" INTEGER,
    "rating_channel" VARCHAR(255),
    "topic" VARCHAR(255),
    "sip" VARCHAR(255),
    "by" VARCHAR(255),
    "reason" VARCHAR(255),
    "serves" VARCHAR(255)
);
CREATE INDEX "call_arrived_at" ON "call" ("arrived_at");
CREATE INDEX "call_ended_at" ON "call" ("ended_at");
CREATE INDEX "call_caller" ON "call" ("caller");
CREATE TABLE "catalog_item" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name_uz_latn" VARCHAR(255) NOT NULL,
    "name_uz_cyrl" VARCHAR(255) NOT NULL,
    "name_ru" VARCHAR(255) NOT NULL,
    "catalog" VARCHAR(255) NOT NULL,
    "code" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "active" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "catalogitem_catalog_code" ON "catalog_item" ("catalog", "code");
CREATE TABLE "draft" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "token" VARCHAR(255) NOT NULL,
    "operator_id" INTEGER NOT NULL,
    "call_id" VARCHAR(255),
    "aside" INTEGER NOT NULL,
    "values" TEXT NOT NULL,
    "updated_at" INTEGER NOT NULL,
    FOREIGN KEY ("operator_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "draft_token" ON "draft" ("token");
CREATE INDEX "draft_operator_id" ON "draft" ("operator_id");
CREATE UNIQUE INDEX "draft_operator_id_call_id" ON "draft" ("operator_id", "call_id");
CREATE TABLE "event_file" (
    "fingerprint" VARCHAR(255) NOT NULL PRIMARY KEY,
    "offset" INTEGER NOT NULL
);
CREATE TABLE "event_fragment" (
    "hash" VARCHAR(255) NOT NULL PRIMARY KEY,
    "head" INTEGER NOT NULL,
    "text" BLOB NOT NULL
);
CREATE TABLE "event_row" (
    "hash" VARCHAR(255) NOT NULL PRIMARY KEY,
    "linkedid" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "event" VARCHAR(255) NOT NULL,
    "fields" TEXT NOT NULL,
    "uniqueid" VARCHAR(255) NOT NULL,
    "begins" VARCHAR(255),
    "phone" VARCHAR(255)
);
CREATE INDEX "eventrow_linkedid" ON "event_row" ("linkedid");
CREATE INDEX "eventrow_at" ON "event_row" ("at");
CREATE TABLE "live_event" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "topic" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE INDEX "liveevent_at" ON "live_event" ("at");
CREATE TABLE "number_series" (
    "year" INTEGER NOT NULL PRIMARY KEY,
    "last" INTEGER NOT NULL
);
CREATE TABLE "presence" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "state" VARCHAR(255) NOT NULL,
    "since" INTEGER NOT NULL,
    "reason" VARCHAR(255) NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE INDEX "presence_user_id" ON "presence" ("user_id");
CREATE INDEX "presence_user_id_since" ON "presence" ("user_id", "since");
CREATE TABLE "queue_visit" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "call_id" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "queue" VARCHAR(255) NOT NULL,
    "joined_at" INTEGER NOT NULL,
    "left_at" INTEGER,
    "result" VARCHAR(255),
    "why" VARCHAR(255) NOT NULL,
    FOREIGN KEY ("call_id") REFERENCES "call" ("id") ON DELETE CASCADE
);
CREATE INDEX "queuevisit_call_id" ON "queue_visit" ("call_id");
CREATE TABLE "recording" (
    "file" VARCHAR(255) NOT NULL PRIMARY KEY,
    "call_id" VARCHAR(255) NOT NULL,
    "seconds" REAL,
    "sha256" VARCHAR(255),
    "written_at" INTEGER,
    "begun_at" INTEGER,
    "aside" INTEGER NOT NULL,
    "kept" VARCHAR(255),
    "peaks" TEXT
);
CREATE INDEX "recording_call_id" ON "recording" ("call_id");
CREATE INDEX "recording_seconds" ON "recording" ("seconds");
CREATE TABLE "ring" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "visit_id" INTEGER NOT NULL,
    "operator" VARCHAR(255) NOT NULL,
    "extension" VARCHAR(255) NOT NULL,
    "started_at" INTEGER NOT NULL,
    "ended_at" INTEGER,
    "result" VARCHAR(255),
    FOREIGN KEY ("visit_id") REFERENCES "queue_visit" ("id") ON DELETE CASCADE
);
CREATE INDEX "ring_visit_id" ON "ring" ("visit_id");
CREATE INDEX "ring_operator" ON "ring" ("operator");
CREATE TABLE "talk" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "call_id" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "party" VARCHAR(255) NOT NULL,
    "who" VARCHAR(255) NOT NULL,
    "extension" VARCHAR(255),
    "started_at" INTEGER NOT NULL,
    "ended_at" INTEGER,
    FOREIGN KEY ("call_id") REFERENCES "call" ("id") ON DELETE CASCADE
);
CREATE INDEX "talk_call_id" ON "talk" ("call_id");
CREATE INDEX "talk_who" ON "talk" ("who");
CREATE TABLE "plan_version" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "saved_at" INTEGER NOT NULL,
    "author" VARCHAR(255) NOT NULL,
    "note" TEXT NOT NULL,
    "document" TEXT NOT NULL
);
CREATE TABLE "dial_attempt" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "call_id" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "trunk" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "status" VARCHAR(255) NOT NULL,
    "cause" VARCHAR(255),
    FOREIGN KEY ("call_id") REFERENCES "call" ("id") ON DELETE CASCADE
);
CREATE INDEX "dialattempt_call_id" ON "dial_attempt" ("call_id");
CREATE TABLE "merged_call" (
    "linkedid" VARCHAR(255) NOT NULL PRIMARY KEY,
    "call_id" VARCHAR(255) NOT NULL
);
CREATE INDEX "folded_call_id" ON "merged_call" ("call_id");
CREATE TABLE "listening" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "login" VARCHAR(255) NOT NULL,
    "call_id" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "reason" VARCHAR(255) NOT NULL
);
CREATE INDEX "listening_login" ON "listening" ("login");
CREATE INDEX "listening_call_id" ON "listening" ("call_id");
CREATE TABLE "listening_right" (
    "login" VARCHAR(255) NOT NULL PRIMARY KEY
);
CREATE TABLE "sip_refusal" (
    "sip" VARCHAR(255) NOT NULL PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "address" VARCHAR(255) NOT NULL,
    "why" VARCHAR(255) NOT NULL
);
CREATE INDEX "siprefusal_at" ON "sip_refusal" ("at");
CREATE TABLE "transfer" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "call_id" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "kind" VARCHAR(255) NOT NULL,
    "to" VARCHAR(255) NOT NULL,
    "by" VARCHAR(255),
    "at" INTEGER NOT NULL,
    "result" VARCHAR(255),
    "returned" INTEGER NOT NULL,
    FOREIGN KEY ("call_id") REFERENCES "call" ("id") ON DELETE CASCADE
);
CREATE INDEX "transfer_call_id" ON "transfer" ("call_id");
CREATE INDEX "call_sip" ON "call" ("sip");
CREATE INDEX "call_by" ON "call" ("by");
CREATE INDEX "call_serves" ON "call" ("serves");
CREATE INDEX "event_row_uniqueid" ON "event_row" ("uniqueid");
CREATE INDEX "recording_kept" ON "recording" ("kept");
CREATE INDEX "call_callee" ON "call" ("callee");
CREATE INDEX "event_row_begins_at" ON "event_row" ("begins", "at");
CREATE INDEX "event_row_phone_at" ON "event_row" ("phone", "at");
CREATE INDEX "talk_extension_started_at" ON "talk" ("extension", "started_at");
CREATE TABLE "device" (
    "name" VARCHAR(255) NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "up" INTEGER NOT NULL,
    "since" INTEGER NOT NULL,
    "channels" INTEGER NOT NULL
);
CREATE TABLE "employee" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "position" VARCHAR(255) NOT NULL,
    "department" VARCHAR(255) NOT NULL,
    "number" VARCHAR(255) NOT NULL,
    "hours" VARCHAR(255) NOT NULL,
    "substitute_id" INTEGER,
    "active" INTEGER NOT NULL,
    "search_key" VARCHAR(255) NOT NULL,
    FOREIGN KEY ("substitute_id") REFERENCES "employee" ("id") ON DELETE SET NULL
);
CREATE INDEX "employee_number" ON "employee" ("number");
CREATE INDEX "employee_substitute_id" ON "employee" ("substitute_id");
CREATE TABLE "prompt" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "language" VARCHAR(255) NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "version" INTEGER NOT NULL,
    "trouble" VARCHAR(255) NOT NULL
);
CREATE UNIQUE INDEX "prompt_language_name" ON "prompt" ("language", "name");
CREATE TABLE "prompt_version" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "prompt_id" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "kind" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL,
    "meant" TEXT NOT NULL,
    "seconds" REAL NOT NULL,
    "loudness" REAL,
    "sha256" VARCHAR(255) NOT NULL,
    "author" VARCHAR(255) NOT NULL,
    "made_at" INTEGER NOT NULL,
    FOREIGN KEY ("prompt_id") REFERENCES "prompt" ("id") ON DELETE CASCADE
);
CREATE INDEX "promptversion_prompt_id" ON "prompt_version" ("prompt_id");
CREATE UNIQUE INDEX "promptversion_prompt_id_number" ON "prompt_version" ("prompt_id", "number");
CREATE TABLE "issued_report" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "first" DATE NOT NULL,
    "last" DATE NOT NULL,
    "edition" INTEGER NOT NULL,
    "issued_at" INTEGER NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    "formulas" VARCHAR(255) NOT NULL,
    "cells" TEXT NOT NULL
);
CREATE INDEX "issuedreport_issued_at" ON "issued_report" ("issued_at");
CREATE UNIQUE INDEX "issuedreport_name_first_last_edition" ON "issued_report" ("name", "first", "last", "edition");
CREATE TABLE "issued_file" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "report_id" INTEGER NOT NULL,
    "locale" VARCHAR(255) NOT NULL,
    "kind" VARCHAR(255) NOT NULL,
    "file" VARCHAR(255) NOT NULL,
    "sha256" VARCHAR(255) NOT NULL,
    "size" INTEGER NOT NULL,
    FOREIGN KEY ("report_id") REFERENCES "issued_report" ("id") ON DELETE CASCADE
);
CREATE INDEX "issuedfile_report_id" ON "issued_file" ("report_id");
CREATE UNIQUE INDEX "issuedfile_file" ON "issued_file" ("file");
CREATE UNIQUE INDEX "issuedfile_report_id_locale_kind" ON "issued_file" ("report_id", "locale", "kind");
CREATE TABLE "quarter_answer" (
    "quarter" VARCHAR(255) NOT NULL PRIMARY KEY,
    "published" INTEGER,
    "published_note" TEXT NOT NULL,
    "numbers" TEXT NOT NULL,
    "complete" INTEGER NOT NULL,
    "by_id" INTEGER NOT NULL,
    "at" INTEGER NOT NULL,
    FOREIGN KEY ("by_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE INDEX "quarteranswer_by_id" ON "quarter_answer" ("by_id");
CREATE TABLE "report_run" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "period" VARCHAR(255) NOT NULL,
    "upto" VARCHAR(255) NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    "due_at" INTEGER NOT NULL,
    "state" VARCHAR(255) NOT NULL,
    "attempts" INTEGER NOT NULL,
    "next_at" INTEGER NOT NULL,
    "claim" VARCHAR(255) NOT NULL,
    "error" TEXT NOT NULL,
    "report_id" INTEGER,
    FOREIGN KEY ("report_id") REFERENCES "issued_report" ("id") ON DELETE RESTRICT
);
CREATE INDEX "reportrun_next_at" ON "report_run" ("next_at");
CREATE INDEX "reportrun_report_id" ON "report_run" ("report_id");
CREATE UNIQUE INDEX "reportrun_name_period_upto" ON "report_run" ("name", "period", "upto");
CREATE TABLE "shift" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "opens" VARCHAR(255) NOT NULL,
    "closes" VARCHAR(255) NOT NULL,
    "since" DATE NOT NULL,
    "until" DATE
);
CREATE TABLE "shift_place" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "shift_id" INTEGER NOT NULL,
    "user_id" INTEGER NOT NULL,
    "since" DATE NOT NULL,
    "until" DATE,
    FOREIGN KEY ("shift_id") REFERENCES "shift" ("id") ON DELETE CASCADE,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE INDEX "shiftplace_shift_id" ON "shift_place" ("shift_id");
CREATE INDEX "shiftplace_user_id" ON "shift_place" ("user_id");
CREATE TABLE "staff_event" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "kind" VARCHAR(255) NOT NULL,
    "date" DATE NOT NULL,
    "note" TEXT NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE INDEX "staffevent_user_id" ON "staff_event" ("user_id");
CREATE INDEX "staffevent_date" ON "staff_event" ("date");
CREATE TABLE "staff_record" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "education" VARCHAR(255) NOT NULL,
    "hired_on" DATE,
    "left_on" DATE,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "staffrecord_user_id" ON "staff_record" ("user_id");
CREATE TABLE "tariff" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "direction" VARCHAR(255) NOT NULL,
    "trunk" VARCHAR(255) NOT NULL,
    "number" VARCHAR(255) NOT NULL,
    "rounding" VARCHAR(255) NOT NULL,
    "price" INTEGER NOT NULL,
    "valid_from" DATE NOT NULL,
    "valid_to" DATE,
    "made_by" VARCHAR(255) NOT NULL,
    "made_at" INTEGER NOT NULL
);
CREATE INDEX "tariff_valid_from" ON "tariff" ("valid_from");
CREATE INDEX "ring_operator_started_at" ON "ring" ("operator", "started_at");
CREATE TABLE "department" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name_uz_latn" VARCHAR(255) NOT NULL,
    "name_uz_cyrl" VARCHAR(255) NOT NULL,
    "name_ru" VARCHAR(255) NOT NULL,
    "code" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "own_body" INTEGER NOT NULL,
    "active" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "department_code" ON "department" ("code");
CREATE TABLE "access_key" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "hash" VARCHAR(255) NOT NULL,
    "hint" VARCHAR(255) NOT NULL,
    "scopes" VARCHAR(255) NOT NULL,
    "department_id" INTEGER,
    "made_at" INTEGER NOT NULL,
    "made_by" VARCHAR(255) NOT NULL,
    "ends_at" INTEGER,
    "revoked_at" INTEGER,
    "revoked_by" VARCHAR(255) NOT NULL,
    "used_at" INTEGER,
    "confirmed_at" INTEGER,
    "confirmed_by" VARCHAR(255) NOT NULL,
    FOREIGN KEY ("department_id") REFERENCES "department" ("id") ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "accesskey_name" ON "access_key" ("name");
CREATE UNIQUE INDEX "accesskey_hash" ON "access_key" ("hash");
CREATE INDEX "accesskey_department_id" ON "access_key" ("department_id");
CREATE TABLE "appeal_step" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "appeal_id" INTEGER NOT NULL,
    "at" INTEGER NOT NULL,
    "who" VARCHAR(255) NOT NULL,
    "action" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    FOREIGN KEY ("appeal_id") REFERENCES "appeal" ("id") ON DELETE RESTRICT
);
CREATE INDEX "appealstep_appeal_id_at" ON "appeal_step" ("appeal_id", "at");
CREATE VIRTUAL TABLE "appeal_text" USING fts5 ("text", tokenize="trigram");
CREATE TABLE "appeal_wording" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "appeal_id" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "values" TEXT NOT NULL,
    "until" INTEGER NOT NULL,
    "replaced_by" VARCHAR(255) NOT NULL,
    FOREIGN KEY ("appeal_id") REFERENCES "appeal" ("id") ON DELETE RESTRICT
);
CREATE UNIQUE INDEX "appealwording_appeal_id_number" ON "appeal_wording" ("appeal_id", "number");
CREATE TABLE "direction_route" (
    "direction" VARCHAR(255) NOT NULL PRIMARY KEY,
    "department_id" INTEGER NOT NULL,
    FOREIGN KEY ("department_id") REFERENCES "department" ("id") ON DELETE CASCADE
);
CREATE INDEX "directionroute_department_id" ON "direction_route" ("department_id");
CREATE TABLE "handling" (
    "appeal_id" INTEGER NOT NULL PRIMARY KEY,
    "state" VARCHAR(255) NOT NULL,
    "is_open" INTEGER NOT NULL,
    "department_id" INTEGER,
    "holder" VARCHAR(255) NOT NULL,
    "registered_on" DATE NOT NULL,
    "counts_from" DATE NOT NULL,
    "term" VARCHAR(255) NOT NULL,
    "due_on" DATE NOT NULL,
    "forward_by" DATE NOT NULL,
    "answered_on" DATE,
    "version" INTEGER NOT NULL,
    "changed_at" INTEGER NOT NULL,
    FOREIGN KEY ("appeal_id") REFERENCES "appeal" ("id") ON DELETE RESTRICT,
    FOREIGN KEY ("department_id") REFERENCES "department" ("id") ON DELETE RESTRICT
);
CREATE INDEX "handling_is_open_due_on" ON "handling" ("is_open", "due_on");
CREATE INDEX "handling_department_id_is_open_due_on" ON "handling" ("department_id", "is_open", "due_on");
CREATE INDEX "handling_holder_is_open" ON "handling" ("holder", "is_open");
CREATE INDEX "handling_changed_at_appeal_id" ON "handling" ("changed_at", "appeal_id");
CREATE TABLE "membership" (
    "user_id" INTEGER NOT NULL PRIMARY KEY,
    "department_id" INTEGER NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE,
    FOREIGN KEY ("department_id") REFERENCES "department" ("id") ON DELETE RESTRICT
);
CREATE INDEX "membership_department_id" ON "membership" ("department_id");
CREATE TABLE "message" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "channel" VARCHAR(255) NOT NULL,
    "purpose" VARCHAR(255) NOT NULL,
    "recipient" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "cause" VARCHAR(255) NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    "state" VARCHAR(255) NOT NULL,
    "created_at" INTEGER NOT NULL,
    "due_at" INTEGER NOT NULL,
    "expires_at" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL,
    "claimed_until" INTEGER,
    "sent_at" INTEGER,
    "ended_at" INTEGER,
    "gateway" VARCHAR(255) NOT NULL,
    "foreign_id" VARCHAR(255) NOT NULL,
    "trouble" VARCHAR(255) NOT NULL,
    "trouble_text" TEXT NOT NULL,
    "perhaps_twice" INTEGER NOT NULL,
    "claimed_by" VARCHAR(255) NOT NULL,
    "tried_at" INTEGER,
    "wanted_at" INTEGER NOT NULL
);
CREATE INDEX "message_cause" ON "message" ("cause");
CREATE UNIQUE INDEX "message_key" ON "message" ("key");
CREATE INDEX "message_foreign_id" ON "message" ("foreign_id");
CREATE INDEX "message_state_channel_due_at" ON "message" ("state", "channel", "due_at");
CREATE TABLE "follow_up" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "number" VARCHAR(255) NOT NULL,
    "opened_at" INTEGER NOT NULL,
    "kind" VARCHAR(255) NOT NULL,
    "call_id" VARCHAR(255) NOT NULL,
    "calls" INTEGER NOT NULL,
    "missed_at" INTEGER NOT NULL,
    "joined_at" INTEGER NOT NULL,
    "language" VARCHAR(255),
    "topic" VARCHAR(255),
    "attempts" INTEGER NOT NULL,
    "tried_at" INTEGER,
    "closed_at" INTEGER,
    "outcome" VARCHAR(255),
    "closed_by" VARCHAR(255) NOT NULL,
    "note" TEXT NOT NULL,
    "claimed_until" INTEGER,
    "claimed_by" VARCHAR(255) NOT NULL
);
CREATE INDEX "followup_opened_at" ON "follow_up" ("opened_at");
CREATE INDEX "followup_closed_at" ON "follow_up" ("closed_at");
CREATE UNIQUE INDEX "followup_number_opened_at" ON "follow_up" ("number", "opened_at");
CREATE TABLE "follow_up_mark" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "number" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "outcome" VARCHAR(255) NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    "note" TEXT NOT NULL
);
CREATE INDEX "followupmark_number" ON "follow_up_mark" ("number");
CREATE TABLE "duty_alert" (
    "appeal_id" INTEGER NOT NULL PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "step" INTEGER NOT NULL,
    "next_at" INTEGER,
    "taken_by" VARCHAR(255) NOT NULL,
    "taken_at" INTEGER,
    FOREIGN KEY ("appeal_id") REFERENCES "appeal" ("id") ON DELETE RESTRICT
);
CREATE INDEX "dutyalert_next_at" ON "duty_alert" ("next_at");
CREATE TABLE "early_report" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "gateway" VARCHAR(255) NOT NULL,
    "foreign_id" VARCHAR(255) NOT NULL,
    "outcome" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE INDEX "earlyreport_at" ON "early_report" ("at");
CREATE UNIQUE INDEX "earlyreport_gateway_foreign_id" ON "early_report" ("gateway", "foreign_id");
CREATE TABLE "notice_text" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "purpose" VARCHAR(255) NOT NULL,
    "language" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL
);
CREATE UNIQUE INDEX "noticetext_purpose_language" ON "notice_text" ("purpose", "language");
CREATE TABLE "sms_opt_out" (
    "number" VARCHAR(255) NOT NULL PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "by" VARCHAR(255) NOT NULL
);
CREATE TABLE "telegram_bot" (
    "name" VARCHAR(255) NOT NULL PRIMARY KEY,
    "read" INTEGER NOT NULL,
    "trouble" VARCHAR(255) NOT NULL,
    "seen_at" INTEGER
);
CREATE TABLE "telegram_chat" (
    "old" VARCHAR(255) NOT NULL PRIMARY KEY,
    "chat" VARCHAR(255) NOT NULL
);
CREATE TABLE "disk_reading" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "disk" VARCHAR(255) NOT NULL,
    "day" DATE NOT NULL,
    "used" INTEGER NOT NULL,
    "total" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "diskreading_disk_day" ON "disk_reading" ("disk", "day");
CREATE TABLE "job_run" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "due_at" INTEGER NOT NULL,
    "started_at" INTEGER NOT NULL,
    "ended_at" INTEGER,
    "state" VARCHAR(255) NOT NULL,
    "result" TEXT NOT NULL,
    "holder" VARCHAR(255) NOT NULL
);
CREATE INDEX "jobrun_started_at" ON "job_run" ("started_at");
CREATE UNIQUE INDEX "jobrun_name_due_at" ON "job_run" ("name", "due_at");
CREATE TABLE "legal_hold" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "subject" VARCHAR(255) NOT NULL,
    "why" TEXT NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    "since" INTEGER NOT NULL,
    "ended_at" INTEGER,
    "ended_by" VARCHAR(255) NOT NULL
);
CREATE INDEX "legalhold_subject" ON "legal_hold" ("subject");
CREATE TABLE "removal" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "subject" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "rule" VARCHAR(255) NOT NULL,
    "detail" TEXT NOT NULL
);
CREATE INDEX "removal_at" ON "removal" ("at");
CREATE UNIQUE INDEX "removal_kind_subject" ON "removal" ("kind", "subject");
CREATE TABLE "ministry_event" (
    "id" VARCHAR(255) NOT NULL PRIMARY KEY,
    "number" VARCHAR(255) NOT NULL,
    "action" VARCHAR(255) NOT NULL,
    "outcome" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL,
    "at" INTEGER NOT NULL,
    "seen" INTEGER NOT NULL
);
CREATE INDEX "ministryevent_number" ON "ministry_event" ("number");
CREATE INDEX "ministryevent_seen_at" ON "ministry_event" ("seen", "at");
CREATE TABLE "ministry_link" (
    "name" VARCHAR(255) NOT NULL PRIMARY KEY,
    "cursor" VARCHAR(255) NOT NULL,
    "trouble" VARCHAR(255) NOT NULL,
    "trouble_text" TEXT NOT NULL,
    "heard_at" INTEGER
);
CREATE TABLE "ministry_package" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "way" VARCHAR(255) NOT NULL,
    "number" INTEGER NOT NULL,
    "sha256" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "body" TEXT NOT NULL,
    "receipt_at" INTEGER
);
CREATE UNIQUE INDEX "ministrypackage_way_number" ON "ministry_package" ("way", "number");
CREATE TABLE "notice_rule" (
    "purpose" VARCHAR(255) NOT NULL PRIMARY KEY,
    "told" INTEGER NOT NULL,
    "account" VARCHAR(255) NOT NULL
);
CREATE TABLE "sms_health" (
    "account" VARCHAR(255) NOT NULL PRIMARY KEY,
    "sent_at" INTEGER,
    "failures" INTEGER NOT NULL,
    "failing_since" INTEGER,
    "held_until" INTEGER,
    "trouble" VARCHAR(255) NOT NULL,
    "trouble_text" TEXT NOT NULL,
    "balance" INTEGER,
    "balance_at" INTEGER
);
CREATE TABLE "sms_rating" (
    "call_id" VARCHAR(255) NOT NULL PRIMARY KEY,
    "token" VARCHAR(255) NOT NULL,
    "number" VARCHAR(255) NOT NULL,
    "language" VARCHAR(255) NOT NULL,
    "asked_at" INTEGER NOT NULL,
    "expires_at" INTEGER NOT NULL,
    "mark" INTEGER,
    "marked_at" INTEGER,
    "how" VARCHAR(255) NOT NULL
);
CREATE UNIQUE INDEX "smsrating_token" ON "sms_rating" ("token");
CREATE INDEX "smsrating_number" ON "sms_rating" ("number");
CREATE TABLE "text_approval" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "account" VARCHAR(255) NOT NULL,
    "purpose" VARCHAR(255) NOT NULL,
    "language" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL,
    "state" VARCHAR(255) NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "textapproval_account_purpose_language" ON "text_approval" ("account", "purpose", "language");
CREATE INDEX "message_tried_at" ON "message" ("tried_at");
CREATE INDEX "message_recipient_state" ON "message" ("recipient", "state");
CREATE TABLE "host_address" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "addresses" TEXT NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "hostaddress_name" ON "host_address" ("name");
CREATE TABLE "link_stretch" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "link" VARCHAR(255) NOT NULL,
    "up" INTEGER NOT NULL,
    "since" INTEGER NOT NULL,
    "until" INTEGER,
    "looked_at" INTEGER NOT NULL,
    "seen" TEXT NOT NULL
);
CREATE INDEX "linkstretch_since" ON "link_stretch" ("since");
CREATE UNIQUE INDEX "linkstretch_link_since" ON "link_stretch" ("link", "since");
CREATE TABLE "rate_reading" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "mbit" REAL,
    "trouble" TEXT NOT NULL
);
CREATE INDEX "ratereading_at" ON "rate_reading" ("at");
CREATE TABLE "self_test" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "started_at" INTEGER NOT NULL,
    "ok" INTEGER NOT NULL,
    "failed" VARCHAR(255) NOT NULL,
    "seen" TEXT NOT NULL,
    "steps" TEXT NOT NULL,
    "call_id" VARCHAR(255) NOT NULL
);
CREATE INDEX "selftest_started_at" ON "self_test" ("started_at");
CREATE TABLE "snapshot_run" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "repository" VARCHAR(255) NOT NULL,
    "snapshot" VARCHAR(255) NOT NULL,
    "started_at" INTEGER NOT NULL,
    "ended_at" INTEGER,
    "state" VARCHAR(255) NOT NULL,
    "verified" INTEGER NOT NULL,
    "bytes_added" INTEGER NOT NULL,
    "bytes_total" INTEGER NOT NULL,
    "trouble" VARCHAR(255) NOT NULL,
    "said" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "by" VARCHAR(255) NOT NULL
);
CREATE INDEX "snapshotrun_started_at" ON "snapshot_run" ("started_at");
CREATE TABLE "alarm" (
    "code" VARCHAR(255) NOT NULL PRIMARY KEY,
    "since" INTEGER NOT NULL,
    "told_at" INTEGER,
    "well_since" INTEGER,
    "name" VARCHAR(255) NOT NULL,
    "values" TEXT NOT NULL
);
CREATE TABLE "check_state" (
    "code" VARCHAR(255) NOT NULL PRIMARY KEY,
    "name" VARCHAR(255) NOT NULL,
    "state" VARCHAR(255) NOT NULL,
    "seen" TEXT NOT NULL,
    "advice" TEXT NOT NULL,
    "values" TEXT NOT NULL,
    "since" INTEGER NOT NULL,
    "looked_at" INTEGER NOT NULL
);
CREATE TABLE "process_state" (
    "name" VARCHAR(255) NOT NULL PRIMARY KEY,
    "holder" VARCHAR(255) NOT NULL,
    "version" VARCHAR(255) NOT NULL,
    "since" INTEGER NOT NULL
);
CREATE TABLE "span_state" (
    "number" INTEGER NOT NULL PRIMARY KEY,
    "trunk" VARCHAR(255) NOT NULL,
    "alarm" VARCHAR(255) NOT NULL,
    "d_channel" INTEGER NOT NULL,
    "since" INTEGER NOT NULL,
    "error" TEXT NOT NULL,
    "error_at" INTEGER,
    "channels" TEXT NOT NULL
);
CREATE TABLE "line_trial" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "trunk" VARCHAR(255) NOT NULL,
    "span" INTEGER,
    "number" VARCHAR(255) NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL,
    "ended_at" INTEGER,
    "result" VARCHAR(255) NOT NULL,
    "cause" VARCHAR(255) NOT NULL,
    "seconds" REAL
);
CREATE INDEX "linetrial_trunk" ON "line_trial" ("trunk");
CREATE TABLE "trunk_state" (
    "name" VARCHAR(255) NOT NULL PRIMARY KEY,
    "state" VARCHAR(255) NOT NULL,
    "since" INTEGER NOT NULL,
    "registration" VARCHAR(255) NOT NULL,
    "registered_since" INTEGER,
    "round_trip" INTEGER,
    "error" TEXT NOT NULL,
    "error_at" INTEGER
);
CREATE TABLE "send_attempt" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "channel" VARCHAR(255) NOT NULL,
    "recipient" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE INDEX "sendattempt_at" ON "send_attempt" ("at");
CREATE TABLE "sign_in_attempt" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "login" VARCHAR(255) NOT NULL,
    "address" VARCHAR(255) NOT NULL,
    "device" VARCHAR(255) NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE INDEX "signinattempt_login" ON "sign_in_attempt" ("login");
CREATE INDEX "signinattempt_address" ON "sign_in_attempt" ("address");
CREATE INDEX "signinattempt_at" ON "sign_in_attempt" ("at");
CREATE TABLE "quarantined" (
    "hash" VARCHAR(255) NOT NULL PRIMARY KEY,
    "kind" VARCHAR(255) NOT NULL,
    "file" VARCHAR(255) NOT NULL,
    "position" INTEGER NOT NULL,
    "size" INTEGER NOT NULL,
    "beginning" BLOB NOT NULL,
    "linkedid" VARCHAR(255),
    "noted_at" INTEGER NOT NULL
);
CREATE INDEX "quarantined_linkedid" ON "quarantined" ("linkedid");
CREATE INDEX "quarantined_noted_at" ON "quarantined" ("noted_at");
CREATE TABLE "exchange_look" (
    "name" VARCHAR(255) NOT NULL PRIMARY KEY,
    "missing" TEXT NOT NULL,
    "at" INTEGER NOT NULL
);
CREATE TABLE "seen_call" (
    "linkedid" VARCHAR(255) NOT NULL PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "begins" VARCHAR(255) NOT NULL
);
CREATE INDEX "seencall_at" ON "seen_call" ("at");
CREATE TABLE "refused_form" (
    "token" VARCHAR(255) NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "address" VARCHAR(255) NOT NULL,
    "trouble" VARCHAR(255) NOT NULL,
    "values" TEXT NOT NULL,
    "at" INTEGER NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE
);
CREATE INDEX "refusedform_user_id" ON "refused_form" ("user_id");
CREATE INDEX "refusedform_at" ON "refused_form" ("at");
CREATE TABLE "answer_draft" (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "appeal_id" INTEGER NOT NULL,
    "action" VARCHAR(255) NOT NULL,
    "text" TEXT NOT NULL,
    "department" VARCHAR(255) NOT NULL,
    "updated_at" INTEGER NOT NULL,
    FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE,
    FOREIGN KEY ("appeal_id") REFERENCES "appeal" ("id") ON DELETE CASCADE
);
CREATE INDEX "answerdraft_appeal_id" ON "answer_draft" ("appeal_id");
CREATE INDEX "answerdraft_updated_at" ON "answer_draft" ("updated_at");
CREATE UNIQUE INDEX "answerdraft_user_id_appeal_id" ON "answer_draft" ("user_id", "appeal_id");
