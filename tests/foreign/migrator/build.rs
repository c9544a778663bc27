fn main() {
    migrator_build::embed("../db");
}
