//! What the API server does differently, apart from which resources, attributes and actions it has.

use std::ops::RangeInclusive;

use super::ByEra;
use crate::go_http_error::StatusAndText;

/// What people call the era.
pub(crate) const NAME: ByEra<&str> = ByEra { y2015: "2015", current: "current" };

// ---- Requests ----

/// The day of the interface, by which clients of today decide what they may ask of a server: before
/// 20200331, say, they refuse to move users between clusters.
pub(crate) const REVISION: ByEra<&str> = ByEra { y2015: "20131114", current: "20240627" };

/// Whether PATCH updates an object as PUT does; in 2015 there is no such route.
pub(crate) const PATCH_UPDATES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether the discovery document answers any method; today it is read with GET only.
pub(crate) const DISCOVERY_BY_ANY_METHOD: ByEra<bool> = ByEra { y2015: true, current: false };

/// Whether there are `config` and `vocabulary`, from which an SDK of today learns storage classes
/// and property names; in 2015 neither is in the discovery document.
pub(crate) const HAS_CONFIG_AND_VOCABULARY: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether the discovery document declares `cluster_id` and `bypass_federation`, which clients of
/// today pass, and lists the clusters of a federation, which are none.
pub(crate) const DECLARES_FEDERATION_PARAMETERS: ByEra<bool> =
    ByEra { y2015: false, current: true };

/// Whether the discovery document declares `include_old_versions`, with which clients of today look
/// for past versions of collections.
pub(crate) const DECLARES_OLD_VERSIONS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a request to create or update is refused when neither its parameters nor a JSON body have
/// an attribute; today it sets none. The keys of a JSON body are attributes, even if it has none.
pub(crate) const NEEDS_ATTRIBUTES: ByEra<bool> = ByEra { y2015: true, current: false };

/// The headers that a web page may send; with those of today it may send JSON, too.
pub(crate) const CORS_REQUEST_HEADERS: ByEra<&str> =
    ByEra { y2015: "Authorization", current: "Authorization, Content-Type" };

// ---- Tokens ----

/// The words before a token in `Authorization`: SDKs of today say `Bearer`, which in 2015 is no
/// token at all.
pub(crate) const TOKEN_SCHEMES: ByEra<&[&str]> =
    ByEra { y2015: &["OAuth2"], current: &["OAuth2", "Bearer"] };

/// The characters of a token in `Authorization`, which ends before any other: in 2015 small letters
/// and digits, today all that is printed.
pub(crate) const TOKEN_CHARACTERS: ByEra<&[RangeInclusive<char>]> =
    ByEra { y2015: &['0'..='9', 'a'..='z'], current: &['!'..='~'] };

/// Whether `v2/UUID/SECRET` stands for the token with that uuid; in 2015 a token is its secret.
pub(crate) const HAS_V2_TOKENS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a token's uuid is its secret; today's clients join the two to a token of the v2 form.
pub(crate) const TOKEN_IS_ITS_UUID: ByEra<bool> = ByEra { y2015: true, current: false };

/// Whether managing tokens takes a token of a trusted API client; today any token will do, and
/// there are no API clients.
pub(crate) const MANAGING_TOKENS_NEEDS_TRUST: ByEra<bool> = ByEra { y2015: true, current: false };

/// Whether nobody but the system sees the tokens of others; in 2015 admins do.
pub(crate) const TOKENS_ARE_PRIVATE: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a scope for GET holds for HEAD as well; in 2015 HEAD needs a scope of its own.
pub(crate) const GET_SCOPES_ALLOW_HEAD: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a valid reader token helps a request whose own token has no scope for it; today that is
/// refused with 403.
pub(crate) const READERS_MAKE_UP_FOR_SCOPE: ByEra<bool> = ByEra { y2015: true, current: false };

// ---- Errors ----

/// Whether each answer has an `X-Request-Id`, and each error text ends with it in brackets; in 2015
/// there is no such header, and texts end without.
pub(crate) const TELLS_REQUEST_ID: ByEra<bool> = ByEra { y2015: false, current: true };

/// How an unknown attribute is refused; Go suites of 2015 look for the words of then.
pub(crate) const UNKNOWN_ATTRIBUTE: ByEra<&str> = ByEra {
    y2015: "unknown attribute: {name}",
    current: "unknown attribute '{name}' for {class}.",
};

// ---- Lists ----

/// The order behind what a list request asks for, which makes pages agree.
pub(crate) const DEFAULT_ORDER: ByEra<&[(&str, &str)]> = ByEra {
    y2015: &[("modified_at", "desc"), ("uuid", "asc")],
    current: &[("modified_at", "desc"), ("uuid", "desc")],
};

/// The same for tokens: in 2015 they have no uuid column to go by.
pub(crate) const DEFAULT_ORDER_OF_TOKENS: ByEra<&[(&str, &str)]> =
    ByEra { y2015: &[("id", "desc")], current: &[("modified_at", "desc"), ("uuid", "desc")] };

/// Whether a list ignores orders by attributes that `select` leaves out; today it heeds them.
pub(crate) const IGNORES_UNSELECTED_ORDERS: ByEra<bool> = ByEra { y2015: true, current: false };

/// Whether `count=none` leaves out `items_available`; in 2015 the parameter is not looked at.
pub(crate) const TAKES_COUNT: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether filters look into objects, with `properties.key`, `exists` and `contains`; in 2015 these
/// are refused.
pub(crate) const FILTERS_LOOK_INTO_OBJECTS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a filter may look for words, `["any", "@@", "words"]`; today that is refused.
pub(crate) const FILTERS_LOOK_FOR_WORDS: ByEra<bool> = ByEra { y2015: true, current: false };

/// Whether a filter may compare two attributes, `["(file_count < version)", "=", true]`; in 2015
/// that is refused.
pub(crate) const FILTERS_COMPARE_ATTRIBUTES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether filters on users count for admins only: for others, those of 2015 would tell more than
/// what is shown.
pub(crate) const USER_FILTERS_ARE_FOR_ADMINS: ByEra<bool> = ByEra { y2015: true, current: false };

// ---- Objects ----

/// How `ensure_unique_name` finds a name that is free: by counting, " (2)", " (3)" and so on; today
/// it adds the end of the uuid.
pub(crate) const NUMBERS_TAKEN_NAMES: ByEra<bool> = ByEra { y2015: true, current: false };

/// Whether a change notes the API client that it came through, in `modified_by_client_uuid`; today
/// there are none.
pub(crate) const NOTES_API_CLIENT: ByEra<bool> = ByEra { y2015: true, current: false };

/// What a log calls the end of an object; clients that follow events wait for this word.
pub(crate) const EVENT_OF_DELETION: ByEra<&str> = ByEra { y2015: "destroy", current: "delete" };

/// Whether collections and projects go to the trash, from which `include_trash` shows and `untrash`
/// takes them; in 2015 what is deleted is gone.
pub(crate) const HAS_TRASH: ByEra<bool> = ByEra { y2015: false, current: true };

/// The attribute with the time from which an object is hidden: that of collections in 2015, that of
/// the trash today.
pub(crate) const HIDDEN_FROM: ByEra<&str> = ByEra { y2015: "expires_at", current: "trash_at" };

/// Whether the provenance of a collection names collections by uuid, too; in 2015 it names them by
/// their content alone.
pub(crate) const PROVENANCE_HAS_UUIDS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a collection may be made of parts of others, by `replace_files` and `replace_segments`; in
/// 2015 a client writes the manifest.
pub(crate) const TAKES_REPLACEMENTS: ByEra<bool> = ByEra { y2015: false, current: true };

// ---- Groups, users and permissions ----

/// The classes of what a project holds, in the order in which `contents` lists them.
pub(crate) const CONTENT_CLASSES: ByEra<&[&str]> = ByEra {
    y2015: &[
        "groups",
        "jobs",
        "pipeline_instances",
        "pipeline_templates",
        "collections",
        "humans",
        "specimens",
        "traits",
    ],
    current: &["groups", "container_requests", "workflows", "collections"],
};

/// The groups that `contents` lists; filter groups came later.
pub(crate) const GROUPS_IN_CONTENTS: ByEra<&[&str]> =
    ByEra { y2015: &["project"], current: &["project", "filter"] };

/// Whether `contents` takes `recursive`, `include`, `exclude_home_project`, and filters on the
/// attributes of one class; in 2015 it does not know any of these.
pub(crate) const CONTENTS_ARE_RECURSIVE: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a group must be a project, a filter or a role; in 2015 it is of any class or none.
pub(crate) const KNOWS_GROUP_CLASSES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a role belongs to the system, and who was to own it manages it by a link; in 2015 it has
/// an owner like any group.
pub(crate) const ROLES_BELONG_TO_SYSTEM: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether of all groups, only projects may own something; in 2015 any group may.
pub(crate) const ONLY_PROJECTS_OWN: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether a project may be frozen, so that nobody changes it or what is in it.
pub(crate) const HAS_FROZEN_PROJECTS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether collections and projects have names that files and folders can have, since they are
/// mounted by them; in 2015 these are free.
pub(crate) const NAMES_ARE_FILE_NAMES: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether everybody sees all active users; today only those that permissions lead to.
pub(crate) const ALL_SEE_ACTIVE_USERS: ByEra<bool> = ByEra { y2015: true, current: false };

/// What others than admins are shown of a user, besides `kind`, `href` and `etag`; those of today
/// also see how the user may be called, and what it may do.
pub(crate) const SHOWN_OF_OTHER_USERS: ByEra<&[&str]> = ByEra {
    y2015: &["uuid", "is_active", "email", "first_name", "last_name"],
    current: &[
        "uuid",
        "is_active",
        "is_admin",
        "is_invited",
        "email",
        "first_name",
        "last_name",
        "full_name",
        "username",
        "can_write",
        "can_manage",
    ],
};

/// The permission that a user is given on the group of all users when it becomes active.
pub(crate) const PERMISSION_ON_ALL_USERS: ByEra<&str> =
    ByEra { y2015: "can_read", current: "can_write" };

/// Whether an admin may list what each user reaches, in `computed_permissions`; in 2015 nothing
/// tells.
pub(crate) const HAS_COMPUTED_PERMISSIONS: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether the others see a user by a link once it is activated or set up; in 2015 they see all
/// active users anyway.
pub(crate) const ACTIVATED_USERS_ARE_VISIBLE: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether `setup` also lets a user log in by OpenID, and gives it a repository; today the parameters
/// for these are not looked at.
pub(crate) const SETUP_GIVES_OPENID_AND_REPOSITORY: ByEra<bool> =
    ByEra { y2015: true, current: false };

/// Whether a user who could activate itself again is made inactive by `unsetup` alone, and not by a
/// change of `is_active`.
pub(crate) const UNSETUP_MAKES_INACTIVE: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether `unsetup` also takes tokens, keys, the rights of an admin, and what others have shared
/// with the user; in 2015 it takes only what `setup` gives.
pub(crate) const UNSETUP_TAKES_EVERYTHING: ByEra<bool> = ByEra { y2015: false, current: true };

// ---- Events ----

/// Whether a websocket whose client has no valid token is told so and closed; today it stays, and
/// there are no events for it.
pub(crate) const EVENTS_NEED_TOKEN: ByEra<bool> = ByEra { y2015: true, current: false };

/// The reply to a plain request for where websockets are; in 2015 there is no such route.
pub(crate) const NOT_A_WEBSOCKET: ByEra<Option<StatusAndText>> =
    ByEra { y2015: None, current: Some((400, "not websocket protocol")) };

/// Whether a subscription is for what any filter on logs selects; those of today are for some types
/// of events or times, and whatever else their filters say is ignored.
pub(crate) const SUBSCRIPTIONS_TAKE_ALL_FILTERS: ByEra<bool> =
    ByEra { y2015: true, current: false };

/// Whether the last id that a new subscription names counts for those before it as well, which then
/// have their events again; today it is the new one's alone.
pub(crate) const LAST_ID_IS_FOR_ALL_SUBSCRIPTIONS: ByEra<bool> =
    ByEra { y2015: true, current: false };

/// Whether the last id 0 stands for none; in 2015 it asks for every event that there is.
pub(crate) const LAST_ID_ZERO_IS_NONE: ByEra<bool> = ByEra { y2015: false, current: true };

/// Whether the end of a subscription ends all that are equal to it; today it ends one.
pub(crate) const ENDS_EQUAL_SUBSCRIPTIONS: ByEra<bool> = ByEra { y2015: true, current: false };

/// The most subscriptions of a websocket; today there is no limit that a client would find.
pub(crate) const MAX_SUBSCRIPTIONS: ByEra<usize> = ByEra { y2015: 16, current: 1000 };

/// Whether an answer to a subscription repeats what was asked for.
pub(crate) const REPEATS_SUBSCRIPTION: ByEra<bool> = ByEra { y2015: true, current: false };

/// The answer to a subscription. Here and below, an answer without a text is a status alone.
pub(crate) const SUBSCRIBED: ByEra<StatusAndText> =
    ByEra { y2015: (200, "subscribe ok"), current: (200, "") };

/// The answer to one subscription too many.
pub(crate) const TOO_MANY_SUBSCRIPTIONS: ByEra<StatusAndText> =
    ByEra { y2015: (403, "maximum of 16 filters allowed per connection"), current: (400, "") };

/// The answer to the end of a subscription.
pub(crate) const UNSUBSCRIBED: ByEra<StatusAndText> =
    ByEra { y2015: (200, "unsubscribe ok"), current: (200, "") };

/// The answer to the end of a subscription that there is not.
pub(crate) const NOT_SUBSCRIBED: ByEra<StatusAndText> =
    ByEra { y2015: (404, "filter not found"), current: (400, "") };

/// The answer to a message that is not a JSON object.
pub(crate) const MALFORMED_MESSAGE: ByEra<StatusAndText> =
    ByEra { y2015: (400, "malformed request"), current: (400, "") };

/// The answer to a message that asks for something else.
pub(crate) const UNKNOWN_MESSAGE: ByEra<StatusAndText> =
    ByEra { y2015: (400, "missing or unrecognized method"), current: (400, "") };

/// Whether an event is the whole entry of the log; today it has a number within its websocket, and
/// of the object only what a workbench looks at.
pub(crate) const EVENTS_ARE_WHOLE: ByEra<bool> = ByEra { y2015: true, current: false };

// ---- Database reset ----

/// Whether a reset also forgets the keepstores that registered themselves, which then have to do so
/// again; today it leaves them alone.
pub(crate) const RESET_FORGETS_KEEP_SERVICES: ByEra<bool> = ByEra { y2015: true, current: false };

/// How the email of each user outside of the fixtures must end, else a reset is refused: suites of
/// today also make users of subdomains.
pub(crate) const TEST_ADDRESSES: ByEra<&[&str]> =
    ByEra { y2015: &["@example.com"], current: &["@example.com", ".example.com"] };
