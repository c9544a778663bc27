migrator_engine::main!();
