//! There for `OUT_DIR` alone: the tests make folders below it, where nobody else may write.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
