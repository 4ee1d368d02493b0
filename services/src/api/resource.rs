//! How a resource is described: from the table in [`super::resources`] follow the SQL tables, the
//! discovery document and what input is accepted.

use crate::era::Era;

/// What values an attribute takes, on the wire and in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A short text.
    String,
    /// A text of any length.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// A moment, `YYYY-MM-DDThh:mm:ss.nnnnnnnnnZ`.
    Datetime,
    /// A JSON object.
    Object,
    /// A JSON array.
    Array,
}

/// The value of an attribute that the creator does not give.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Initial {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(&'static str),
    /// `{}`.
    EmptyObject,
    /// An array of texts.
    Array(&'static [&'static str]),
}

/// Who may set an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetBy {
    /// Whoever may write the object.
    Writers,
    /// Admins; from others an attempt is refused.
    Admins,
    /// The server; what a client sends is ignored.
    Server,
}

/// When an attribute is part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In every answer.
    Always,
    /// In lists only when selected.
    NotInLists,
    /// Only when selected.
    WhenSelected,
    /// In answers to admins.
    ToAdmins,
    /// Never, though clients set it.
    Secret,
    /// Never: only the server needs it.
    Never,
}

/// The eras that know a resource or an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eras {
    /// Every era.
    All,
    /// This one alone.
    Only(Era),
}

impl Eras {
    /// Whether `era` is among them.
    pub(crate) fn has(self, era: Era) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only == era,
        }
    }
}

/// One attribute of a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    /// Its name on the wire, and of its column.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Its value in a new object.
    pub(crate) initial: Initial,
    /// The eras that have it.
    pub(crate) eras: Eras,
    /// Who may set it.
    pub(crate) set_by: SetBy,
    /// When it is shown.
    pub(crate) shown: Shown,
    /// Whether it has a column; else it is computed for each answer.
    pub(crate) stored: bool,
}

impl Attribute {
    /// An attribute that every era has, its writers set, and every answer shows.
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        let initial = match kind {
            Kind::Object => Initial::EmptyObject,
            Kind::Array => Initial::Array(&[]),
            _ => Initial::Null,
        };
        Self {
            name,
            kind,
            initial,
            eras: Eras::All,
            set_by: SetBy::Writers,
            shown: Shown::Always,
            stored: true,
        }
    }

    /// The same with another initial value.
    pub(crate) const fn initially(mut self, initial: Initial) -> Self {
        self.initial = initial;
        self
    }

    /// The same, known to one era only.
    pub(crate) const fn only(mut self, era: Era) -> Self {
        self.eras = Eras::Only(era);
        self
    }

    /// The same, set by somebody else.
    pub(crate) const fn set_by(mut self, who: SetBy) -> Self {
        self.set_by = who;
        self
    }

    /// The same, shown less often.
    pub(crate) const fn shown(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }

    /// The same, without a column.
    pub(crate) const fn computed(mut self) -> Self {
        self.stored = false;
        self.set_by = SetBy::Server;
        self
    }

    /// Whether no answer ever has it.
    pub(crate) fn is_hidden(&self) -> bool {
        matches!(self.shown, Shown::Secret | Shown::Never)
    }

    /// Whether filters on `any` look at it.
    pub(crate) fn searchable(&self) -> bool {
        self.stored && self.shown == Shown::Always && matches!(self.kind, Kind::String | Kind::Text)
    }
}

/// An attribute that is a short text.
pub(crate) const fn string(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::String)
}

/// An attribute that is a text of any length.
pub(crate) const fn text(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Text)
}

/// An attribute that is a number.
pub(crate) const fn integer(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Integer)
}

/// An attribute that is a number with a fraction.
pub(crate) const fn float(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Float)
}

/// An attribute that is true or false.
pub(crate) const fn boolean(name: &'static str, initial: bool) -> Attribute {
    Attribute::new(name, Kind::Boolean).initially(Initial::Bool(initial))
}

/// An attribute that is a moment.
pub(crate) const fn datetime(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Datetime)
}

/// An attribute that is a JSON object.
pub(crate) const fn object(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Object)
}

/// An attribute that is a JSON array.
pub(crate) const fn array(name: &'static str) -> Attribute {
    Attribute::new(name, Kind::Array)
}

/// Which objects must differ in their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UniqueName {
    /// None.
    No,
    /// Those of one owner.
    PerOwner,
    /// All, and a name is required.
    Everywhere,
}

/// One class of objects.
#[derive(Debug)]
pub(crate) struct Resource {
    /// As in paths, and its table: `api_client_authorizations`.
    pub(crate) plural: &'static str,
    /// The parameter that carries its attributes: `api_client_authorization`.
    pub(crate) singular: &'static str,
    /// The name of its schema: `ApiClientAuthorization`.
    pub(crate) class: &'static str,
    /// The middle of its uuids.
    pub(crate) infix: &'static str,
    /// The eras that have it.
    pub(crate) eras: Eras,
    /// Whether its objects have a table of their own; else they are others seen in another light.
    pub(crate) has_table: bool,
    /// Whether everybody reads all of it; else permissions decide.
    pub(crate) public: bool,
    /// The eras in which only admins create and change it.
    pub(crate) admin_only: &'static [Era],
    /// Which names must differ.
    pub(crate) unique_name: UniqueName,
    /// Its attributes, beyond [`COMMON`].
    pub(crate) own: &'static [Attribute],
}

/// What every object has.
pub(crate) const COMMON: &[Attribute] = &[
    Attribute::new("href", Kind::String).computed().only(Era::Y2015),
    Attribute::new("kind", Kind::String).computed(),
    Attribute::new("etag", Kind::String).computed(),
    Attribute::new("uuid", Kind::String),
    Attribute::new("owner_uuid", Kind::String),
    Attribute::new("created_at", Kind::Datetime).set_by(SetBy::Server),
    Attribute::new("modified_by_client_uuid", Kind::String).set_by(SetBy::Server).only(Era::Y2015),
    Attribute::new("modified_by_user_uuid", Kind::String).set_by(SetBy::Server),
    Attribute::new("modified_at", Kind::Datetime).set_by(SetBy::Server),
];

impl Resource {
    /// Its attributes in `era`, in the order in which they are shown.
    pub(crate) fn attributes(&self, era: Era) -> impl Iterator<Item = &'static Attribute> + use<> {
        COMMON.iter().chain(self.own).filter(move |attribute| attribute.eras.has(era))
    }

    /// Its attributes with a column in `era`.
    pub(crate) fn columns(&self, era: Era) -> impl Iterator<Item = &'static Attribute> + use<> {
        self.attributes(era).filter(|attribute| attribute.stored)
    }

    /// The attribute `name`, if `era` has it and it is for clients to know.
    pub(crate) fn attribute(&self, era: Era, name: &str) -> Option<&'static Attribute> {
        self.attributes(era).find(|attribute| attribute.name == name && !attribute.is_hidden())
    }

    /// The attribute `name`, if `era` has it and a client may send it.
    pub(crate) fn accepted(&self, era: Era, name: &str) -> Option<&'static Attribute> {
        self.attributes(era)
            .find(|attribute| attribute.name == name && attribute.shown != Shown::Never)
    }

    /// The column `name` in `era`, hidden ones included.
    pub(crate) fn column(&self, era: Era, name: &str) -> Option<&'static Attribute> {
        self.columns(era).find(|attribute| attribute.name == name)
    }

    /// Whether any era knows the attribute `name`.
    pub(crate) fn knows(&self, name: &str) -> bool {
        COMMON.iter().chain(self.own).any(|attribute| attribute.name == name)
    }

    /// The `kind` of its objects: `arvados#apiClientAuthorization`.
    pub(crate) fn object_kind(&self) -> String {
        let mut letters = self.class.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        format!("arvados#{}{}", first.map(String::from).unwrap_or_default(), letters.as_str())
    }
}
