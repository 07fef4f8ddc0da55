"""The whole product on one machine: the real template on ministack, or the embedded ports."""
