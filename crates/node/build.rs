//! Tells cargo that the demonstration site is part of this crate: a new file there is embedded too. The tests make
//! their folders in `OUT_DIR`, because no other user may write there.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../site");
}
