"""What is due when: timetables, wake-up messages, and what the alarms look at."""
