//! The JSON types of the API, and how its description (OpenAPI 3.1) presents them. The page, the command line, the lab
//! and `up` share them.

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
