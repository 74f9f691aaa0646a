"""Operations: upgrade, rollback, restore, initialise, rehearse; each one call from a command."""
