"""What outside attackers try, as cases that tests send a few of and `make attack` all of."""
