//! Tells cargo that the demonstration site is a part of this crate: a file that is new there is embedded too. Its
//! `OUT_DIR` is where the tests make folders, because nobody else may write there.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../site");
}
