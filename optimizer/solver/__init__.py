"""Program in, proved solution out."""
