"""zonelog: verdicts on the trips of automated low-speed vehicles."""
