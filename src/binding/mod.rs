//! Converts between Node-API and the driver.
