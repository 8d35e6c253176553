//! What the API says and takes, as JSON: the types, and how the description (OpenAPI 3.1) tells them. Page, command
//! line, lab and `up` share them.

pub mod config;
pub mod drills;
pub mod local;
pub mod problem;
pub mod servers;
pub mod tokens;
pub mod tools;
pub mod trials;
pub mod view;
pub mod visitors;
pub mod wishes;
pub mod words;
